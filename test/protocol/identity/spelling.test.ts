import { expect, test } from 'vitest';
import { wrongAgentNameText, wrongDomainText, wrongPrincipalText } from '../../../src/protocol/identity/spelling.js';

test.each([
  ['Acme.com', 'it has capitals; write acme.com'],
  ['acme.com:8443', 'a port is written with %3A, as did:web has it; write acme.com%3A8443'],
  ['https://acme.com/x', 'it is a URL; write acme.com'],
  ['did:web:acme.com', 'it is a DID; write acme.com'],
  ['acme.com.', 'it ends in a dot; write acme.com'],
  [' acme.com', 'there are blanks around it; write acme.com'],
  ['ann@acme.com', 'it is an address'],
  ['bücher.example', 'xn--'],
  ['192.168.0.1', 'address of a machine'],
  ['a_b.com', 'underscore'],
  ['acme.com/x', 'it has a path'],
  ['', 'it is empty'],
])('the domain %j: %s', (text, why) => {
  expect(wrongDomainText(text)).toContain(why);
});

test.each([
  ['Bot', 'it has capitals', '; write bot'],
  ['my bot', '" " may not stand', '; write my-bot'],
  ['-bot', 'begins with "-"', '; write bot'],
  ['a'.repeat(64), '64 characters', ''],
  ['', 'it is empty', ''],
])('the name %j: %s%s', (text, why, write) => {
  expect(wrongAgentNameText(text)).toContain(why);
  expect(wrongAgentNameText(text)).toContain(write);
});

test.each([
  ['acme.com', 'write did:web:acme.com'],
  ['did:web:Acme.com', 'it has capitals'],
  ['did:web:acme.com:agents:bot', "it is an agent's id; write did:web:acme.com"],
  ['did:key:z6Mk', 'another method'],
])('the principal %j: %s', (text, why) => {
  expect(wrongPrincipalText(text)).toContain(why);
});

test('what is right is not wrong', () => {
  expect([
    wrongDomainText('acme.com%3A8443'),
    wrongAgentNameText('bot-1'),
    wrongPrincipalText('did:web:acme.com'),
  ]).toEqual([null, null, null]);
});
