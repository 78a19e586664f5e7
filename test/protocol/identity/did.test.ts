import { describe, expect, test } from 'vitest';
import {
  isAgentId,
  isDomain,
  parseAgentId,
  parsePrincipalId,
  principalOfAgent,
} from '../../../src/protocol/identity/did.js';

describe('a domain', () => {
  test.each([
    'acme.com',
    'localhost',
    'localhost%3A8443',
    '1.2.3.com',
    '127.0.0.1.example',
    '0x7f.org',
    'x',
    'a.0b',
    '7up.com',
    'xn--4ca.com',
  ])('%s is one', (domain) => {
    expect(isDomain(domain)).toBe(true);
    expect(parsePrincipalId(`did:web:${domain}`)).toBe(domain);
    expect(isAgentId(`did:web:${domain}:agents:bot`)).toBe(true);
    expect(parseAgentId(`did:web:${domain}:agents:bot`)).toMatchObject({ domain });
  });

  // What a URL parser takes for an IP address names no principal: https://2130706433/ asks 127.0.0.1.
  test.each([
    ...['127.0.0.1', '2130706433', '0x7f.1', '127.1', '0x7f000001', 'acme.0x', '0', '10.0.0.1%3A8443', 'acme.com.1'],
    ...[
      'Acme.com',
      'acme.com.',
      '.acme.com',
      'acme..com',
      '-a.com',
      'a_b.com',
      'acme.com%3A0',
      'acme.com%3a80',
      'acme.com%3A65536',
    ],
    ...[
      'acme.com/x',
      'acme.com#x',
      'user@acme.com',
      'acme.com:80',
      'ácme.com',
      'acme.com\n',
      '',
      'a'.repeat(64),
      `${'a.'.repeat(127)}aa`,
    ],
  ])('%j is none', (domain) => {
    expect(isDomain(domain)).toBe(false);
    expect(parsePrincipalId(`did:web:${domain}`)).toBeNull();
    expect(isAgentId(`did:web:${domain}:agents:bot`)).toBe(false);
    expect(parseAgentId(`did:web:${domain}:agents:bot`)).toBeNull();
  });
});

describe('the principal that answers for an agent', () => {
  test.each([
    ['did:web:acme.com:agents:support-agent-v1', 'did:web:acme.com'],
    ['did:web:localhost%3A8443:agents:bot', 'did:web:localhost%3A8443'],
    // AIP-1 names agents after classes and functions.
    ['did:web:acme.com:agents:Support_Agent.v1', 'did:web:acme.com'],
    [`did:web:acme.com:agents:${'a'.repeat(63)}`, 'did:web:acme.com'],
  ])('of %s is %s', (id, principal) => expect(principalOfAgent(id)).toBe(principal));

  test.each([
    'did:web:acme.com',
    'did:web:acme.com:agents:',
    'did:web:acme.com:agents:-bot',
    'did:web:acme.com:agents:bot#key-1',
    'did:web:acme.com:agents:a:agents:b',
    `did:web:acme.com:agents:${'a'.repeat(64)}`,
    'did:web:127.0.0.1:agents:bot',
    'did:key:acme.com:agents:bot',
    ':agents:bot',
    '',
  ])('of %j is nobody', (id) => expect(principalOfAgent(id)).toBeNull());
});
