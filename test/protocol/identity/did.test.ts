import { describe, expect, test } from 'vitest';
import { isAgentId, isDomain, parseAgentId, parsePrincipalId } from '../../../src/protocol/identity/did.js';

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
