import { describe, expect, test } from 'vitest';
import { canonicalizeWithout } from '../../src/protocol/json/canonical.js';
import { sha256Hex } from '../../src/protocol/hash.js';
import { intentBytes, readIntent } from '../../src/protocol/intent.js';
import { JsonError, parseJson, parseJsonText } from '../../src/protocol/json/parse.js';
import { ShapeError } from '../../src/protocol/json/shape.js';
import type { JsonObject } from '../../src/protocol/json/values.js';
import { refund } from '../kit/native/intent-parts.js';
import { SUPPORT } from '../kit/native/parts.js';
import { fixtureBytes, INTENTS } from '../kit/native/vectors.js';

const read = (document: object) => readIntent(parseJsonText(JSON.stringify(document)));
const MALFORMED = INTENTS.vectors.filter(({ expect: { code } }) => code === 'AIP-E100');
const WHOLE = INTENTS.vectors.filter(({ expect: { code } }) => code !== 'AIP-E100');

describe('readIntent', () => {
  test.each(MALFORMED)('refuses: $name', ({ intent }) => {
    try {
      readIntent(parseJson(fixtureBytes(intent)));
      expect.unreachable();
    } catch (error) {
      expect(error instanceof ShapeError || error instanceof JsonError).toBe(true);
      const { reason } = error as ShapeError;
      expect(reason).toMatch(/^[^\n]{3,200}$/);
      // It names members and never quotes what they hold.
      for (const value of ['8472', 'acme.com', '8f7a', 'urgent']) expect(reason).not.toContain(value);
    }
  });

  test.each(WHOLE)('reads, whatever is to be said of it later: $name', ({ intent }) => {
    const document = parseJson(fixtureBytes(intent)) as JsonObject;
    const { signedBytes, hash, signature } = readIntent(document);
    expect(Buffer.from(signedBytes).toString()).toBe(canonicalizeWithout(document, 'signature'));
    expect(hash).toBe(`sha256:${sha256Hex(signedBytes)}`);
    expect(signature === null).toBe(!/^[0-9a-f]{128}$/.test(String(document.signature)));
  });

  test('signs every member but the signature', () => {
    const { signature, ...unsigned } = refund('bytes', { target: 't', key_id: `${SUPPORT}#key-1` });
    const bytes = Buffer.from(intentBytes(unsigned as never)).toString();
    expect(bytes).not.toContain(String(signature));
    for (const [name, value] of Object.entries(unsigned))
      expect(bytes).toContain(
        `${JSON.stringify(name)}:${canonicalizeWithout({ [name]: value }, '').slice(name.length + 4, -1)}`,
      );
    expect(Buffer.from(read(refund('bytes')).signedBytes)).not.toEqual(Buffer.from(bytes));
  });

  test.each([
    ['timestamp', 0],
    ['timestamp', Number.MAX_SAFE_INTEGER],
    ['action', 'a'.repeat(128)],
    ['action', ' '],
    ['nonce', ''],
    ['nonce', 'x'.repeat(500)],
    ['target', 't'.repeat(2048)],
    ['key_id', 'k'.repeat(2048)],
    ['params', {}],
    ['params', JSON.parse('{"__proto__":1,"constructor":2}') as object],
  ])('takes %s at its bounds', (member, value) => {
    expect(read(refund('bound', { [member]: value })).document).toMatchObject({ [member]: value });
  });

  test.each([
    ['target', 't'.repeat(2049)],
    ['key_id', 'k'.repeat(2049)],
    ['agent_id', `did:web:acme.com:agents:${'a'.repeat(64)}`],
    ['agent_id', `did:web:${'a'.repeat(64)}.com:agents:bot`],
    ['agent_id', 'did:web:acme.com:agents:'],
    ['agent_id', 'did:web:acme.com:agent:bot'],
    ['agent_id', 'did:web:acme.com%3A0:agents:bot'],
    ['agent_id', 'did:web:acme.com%3a443:agents:bot'],
    ['agent_id', 'did:web:-acme.com:agents:bot'],
    ['agent_id', ' did:web:acme.com:agents:bot'],
    ['agent_id', 'did:web:acme.com:agents:bot\n'],
    ['timestamp', -0.5],
    ['timestamp', true],
    ['params', 'none'],
    ['signature', 5],
  ])('refuses %s beyond them', (member, value) => {
    expect(() => read({ ...refund('bound'), [member]: value })).toThrow(ShapeError);
  });
});
