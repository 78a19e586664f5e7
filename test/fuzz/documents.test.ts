import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalize } from '../../src/protocol/json/canonical.js';
import { verifyKeyOf, verifySignature } from '../../src/protocol/ed25519/verify.js';
import { readIntent } from '../../src/protocol/intent.js';
import { JsonError, parseJson, parseJsonText } from '../../src/protocol/json/parse.js';
import { passportOf, readPassport } from '../../src/protocol/passport.js';
import { ShapeError } from '../../src/protocol/json/shape.js';
import type { Json, JsonObject } from '../../src/protocol/json/values.js';
import { issuerProblem } from '../../src/verify/checks/issuer.js';
import { intent, mail, refund } from '../kit/native/intent-parts.js';
import { passport } from '../kit/native/passport-cases.js';
import { publicKeyBytes, SUPPORT } from '../kit/native/parts.js';
import { fixtureBytes } from '../kit/native/vectors.js';

const AGENT = verifyKeyOf(publicKeyBytes('agent'))!;
const PINS = [{ keyId: 'did:web:acme.com#key-1', key: verifyKeyOf(publicKeyBytes('principal'))! }];

/** True when the bytes are an intent that the agent signed; anything but a refusal by name is thrown on. */
function signedIntent(bytes: Uint8Array): boolean {
  try {
    const { signature, signedBytes } = readIntent(parseJson(bytes));
    return signature !== null && verifySignature(AGENT, signedBytes, signature);
  } catch (error) {
    return refused(error);
  }
}

function issuedPassport(bytes: Uint8Array): boolean {
  try {
    return issuerProblem(readPassport(bytes), PINS) === null;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): false {
  if (error instanceof ShapeError || error instanceof JsonError) return false;
  throw error;
}

const odd = {
  note: 'é\u2028"\\/\b',
  list: [0, -1.5, 1e20, 0.1 + 0.2, 2 ** 53 - 1, 1 / 3, null, true, ''],
  deep: { a: [[{}]] },
  '': 0,
};
// As `intent sign` writes them, but for the newline; and passports in their canonical form.
const INTENTS = [
  refund('fuzz'),
  mail('fuzz', { target: 'production' }),
  intent('odd', { agent_id: SUPPORT, params: odd }),
];
const PASSPORTS = ['passport-support-agent.json', 'passport-operator.json', 'passport-rotated-twice.json'];
const DOCUMENTS: readonly (readonly [string, Buffer, (bytes: Uint8Array) => boolean])[] = [
  ...INTENTS.map((each, i) => [`intent ${i}`, Buffer.from(JSON.stringify(each)), signedIntent] as const),
  ...PASSPORTS.map((file) => {
    const canonical = canonicalize(parseJson(fixtureBytes(file)));
    return [file, Buffer.from(canonical), issuedPassport] as const;
  }),
];

const SPACE = [0x20, 0x09, 0x0a, 0x0d];

describe.each(DOCUMENTS)('%s', (_, bytes, holds) => {
  test('holds as it is', () => {
    expect(holds(bytes)).toBe(true);
  });

  test('holds with no bit of it changed', () => {
    const holding: string[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[at] = changed[at]! ^ (1 << bit);
        if (holds(changed)) holding.push(`${at}: bit ${bit}`);
      }
    }
    expect(holding).toEqual([]);
  });

  test('holds with no byte of it changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at]! + by) % 256;
        expect(holds(changed)).toBe(false);
      }),
      { numRuns: 1500 },
    );
  });

  test('holds with no byte of it missing', () => {
    const without = (at: number) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    expect(bytes.map((_byte, at) => (holds(without(at)) ? 1 : 0)).includes(1)).toBe(false);
  });

  test('holds with a byte more only where it means nothing', () => {
    fc.assert(
      fc.property(fc.nat({ max: bytes.length }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]);
        if (holds(changed)) {
          // A blank, a zero after a fraction, a sign before a zero or in an exponent, an escape before a slash.
          const escapedSlash = byte === 0x5c && /^\\+\//.test(changed.toString('latin1', at));
          if (!escapedSlash) expect([...SPACE, 0x30, 0x2b, 0x2d]).toContain(byte);
          expect(canonicalize(parseJson(changed))).toBe(canonicalize(parseJson(bytes)));
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('holds in no part of it', () => {
    for (let end = 0; end < bytes.length; end++) expect(holds(bytes.subarray(0, end))).toBe(false);
    for (let start = 1; start < bytes.length; start += 7) expect(holds(bytes.subarray(start))).toBe(false);
  });

  test('holds with no two parts of it exchanged', () => {
    const place = fc.nat({ max: bytes.length });
    fc.assert(
      fc.property(place, place, place, place, (...places) => {
        const [a, b, c, d] = places.sort((x, y) => x - y);
        const parts = [
          [0, a],
          [c, d],
          [b, c],
          [a, b],
          [d, bytes.length],
        ] as const;
        const changed = Buffer.concat(parts.map(([from, to]) => bytes.subarray(from, to)));
        expect(holds(changed)).toBe(changed.equals(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('holds with no member of it another value', () => {
    const document = parseJson(bytes) as JsonObject;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(document)), fc.jsonValue({ maxDepth: 3 }), (member, value) => {
        const changed = { ...document, [member]: value as Json };
        const same = canonicalize(changed) === canonicalize(document);
        expect(holds(Buffer.from(JSON.stringify(changed)))).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([1e21, 5e-324, 1.7976931348623157e308, 1.5e-10])(
  '%d may be spelled otherwise, and remains the same number',
  (n) => {
    const document = intent('exponent', { agent_id: SUPPORT, params: { n } });
    const bytes = Buffer.from(JSON.stringify(document));
    const at = bytes.indexOf('"n":');
    const spellings = new Set<string>();
    // One byte of the number after the other, exchanged for each other byte.
    for (let i = at + 4; bytes[i] !== 0x7d; i++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(bytes);
        changed[i] = byte;
        if (byte === bytes[i] || !signedIntent(changed)) continue;
        expect(canonicalize(parseJson(changed))).toBe(canonicalize(document));
        spellings.add(changed.subarray(at + 4, changed.indexOf('}', at)).toString());
      }
    }
    const text = JSON.stringify(n);
    const others = [text.replace('e', 'E'), text.replace('e+', 'e0')].filter((each) => each !== text);
    expect([...spellings].sort()).toEqual(others.sort());
  },
);

describe('random input', () => {
  test('of bytes is no document, and no crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(signedIntent(bytes)).toBe(false);
        expect(issuedPassport(bytes)).toBe(false);
      }),
      { numRuns: 1500 },
    );
  });

  test('of JSON is no document, and no crash', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(signedIntent(Buffer.from(text))).toBe(false);
        expect(issuedPassport(Buffer.from(text))).toBe(false);
      }),
      { numRuns: 1500 },
    );
  });

  // Objects that are nearly passports: right names, and values that are right or anything.
  const whole = parseJson(fixtureBytes('passport-operator.json')) as JsonObject;
  const nearly = fc.record(
    Object.fromEntries(
      Object.entries(whole).map(([name, value]) => [
        name,
        fc.oneof(
          { weight: 6, arbitrary: fc.constant(value) },
          { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<Json> },
        ),
      ]),
    ),
    { requiredKeys: [] },
  );

  test('of passport members is read or refused by name', () => {
    fc.assert(
      fc.property(nearly, (document) => {
        try {
          const read = passportOf(parseJsonText(JSON.stringify(document)));
          expect(read.signature).toHaveLength(64);
          expect(read.currentKey.validUntil).toBeNull();
        } catch (error) {
          refused(error);
          expect((error as ShapeError).reason).toMatch(/^[^\n]{3,400}$/);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('of constraints in a passport that its principal signed is read or refused by name', () => {
    const name = fc.oneof(
      fc.constantFrom('monetary_limit', 'daily_limit', 'currency', 'allowed_domains', 'rate_limit', 'require_approval'),
      fc.constantFrom('time_window', 'geo_restriction', 'max_orders_per_hour', 'allowed_symbols', 'denied_tags', 'x-y'),
      fc.string({ maxLength: 20 }),
    );
    const constraints = fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    fc.assert(
      fc.property(constraints, (each) => {
        const document = passport('fuzzed', { constraints: each });
        const bytes = Buffer.from(JSON.stringify(document));
        let reason: string | null = null;
        try {
          readPassport(bytes);
        } catch (error) {
          refused(error);
          reason = (error as ShapeError).reason;
        }
        // Its signature holds, so it is believed exactly when it can be read.
        expect(issuedPassport(bytes)).toBe(reason === null);
        for (const unknown of Object.keys(each))
          if (!unknown.startsWith('x-') && !/^[a-z_]+$/.test(unknown)) expect(reason).not.toBeNull();
      }),
      { numRuns: 2000 },
    );
  });
});
