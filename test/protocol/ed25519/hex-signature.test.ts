import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAgentId, parseAgentId } from '../../../src/protocol/identity/did.js';
import { signatureBytes } from '../../../src/protocol/hex.js';

const HEX = '0123456789abcdef'.repeat(8);

describe('signatureBytes', () => {
  test('reads 128 lower-case hex digits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
        expect(signatureBytes(Buffer.from(bytes).toString('hex'))).toEqual(bytes);
      }),
    );
  });

  test('refuses any one other character, at any place', () => {
    const others = ['A', 'F', 'g', '/', ':', '`', '@', 'G', ' ', '\0', '\u0130', '\u0661', '\uff11', '\u{1f600}'[0]!];
    for (let at = 0; at < 128; at++) {
      for (const other of others) expect(signatureBytes(HEX.slice(0, at) + other + HEX.slice(at + 1))).toBeNull();
    }
  });

  test.each(['', HEX.slice(1), `${HEX}0`, HEX.slice(2), `${HEX}00`, HEX.toUpperCase()])('refuses %j', (text) => {
    expect(signatureBytes(text)).toBeNull();
  });
});

describe('isAgentId', () => {
  const piece = fc.constantFrom(
    'did',
    'web',
    'agents',
    'acme.com',
    'a',
    '-',
    '.',
    '_',
    '%3A8443',
    '%3A99999',
    'x'.repeat(63),
    'X',
    ':',
    '',
    '\n',
  );
  test('says yes to exactly what parseAgentId reads', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), fc.boolean(), (pieces, whole) => {
        const id = whole
          ? `did:web:${pieces.slice(0, 4).join('')}:agents:${pieces.slice(4).join('')}`
          : pieces.join(':');
        expect(isAgentId(id)).toBe(parseAgentId(id) !== null);
      }),
      { numRuns: 5000 },
    );
  });

  test('takes and refuses at the edges', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    const ids = [
      `did:web:${long}:agents:x`,
      `did:web:${long}e:agents:x`,
      `did:web:acme.com:agents:${'n'.repeat(64)}`,
      'did:web:acme.com:agents:x\n',
    ];
    expect(ids.map(isAgentId)).toEqual([true, false, false, false]);
    expect(ids.map((id) => parseAgentId(id) !== null)).toEqual([true, false, false, false]);
  });
});
