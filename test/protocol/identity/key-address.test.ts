import { expect, test } from 'vitest';
import { looksLikeKeyAddress, parseKeyAddress } from '../../../src/protocol/identity/key-address.js';
import { SshWire, sshString } from '../../../src/protocol/identity/ssh-wire.js';

const PRINT = 'A'.repeat(43);

test.each([
  [`ssh-agent:SHA256:${PRINT}`, { kind: 'ssh-agent', by: 'fingerprint', value: PRINT }],
  [`ssh-agent:SHA256:${PRINT}=`, { kind: 'ssh-agent', by: 'fingerprint', value: PRINT }],
  ['ssh-agent:me@laptop', { kind: 'ssh-agent', by: 'comment', value: 'me@laptop' }],
  ['ssh-agent:did:web:acme.com#key-1', { kind: 'ssh-agent', by: 'comment', value: 'did:web:acme.com#key-1' }],
  ['hashivault://bot_1', { kind: 'hashivault', key: 'bot_1' }],
  ['awskms:///alias/bot', { kind: 'awskms', id: 'alias/bot' }],
  ['cmd:/usr/bin/hsm  --slot 1', { kind: 'cmd', argv: ['/usr/bin/hsm', '--slot', '1'] }],
])('%s', (text, address) => {
  expect(parseKeyAddress(text)).toEqual(address);
  expect(looksLikeKeyAddress(text)).toBe(true);
});

test.each([
  ...['', 'file', 'file:x', 'ssh-agent:', 'ssh-agent:SHA256:', 'hashivault:bot', 'hashivault://', 'hashivault://../x'],
  ...['awskms://x', 'awskms:///', 'awskms:///a b', 'cmd:', 'cmd: ', 'cmd:a\u0000b', `cmd:${'x'.repeat(2048)}`],
])('case %#: no address', (text) => {
  expect(parseKeyAddress(text)).toBeNull();
});

test('what SSH wrote is read again, and what was cut is an error', () => {
  const wire = new SshWire(Buffer.concat([sshString(Buffer.from('ssh-ed25519')), Buffer.from([0, 0, 0, 2, 7])]));
  expect(wire.text()).toBe('ssh-ed25519');
  expect(wire.number()).toBe(2);
  expect(wire.rest(1)).toEqual(Buffer.from([7]));
  expect(() => wire.rest(1)).toThrow(RangeError);
});
