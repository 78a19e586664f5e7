import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tierOf } from '../../../src/protocol/constraints/destinations.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { nameOf } from '../../../src/protocol/naming/names.js';
import { checkConstraints } from '../../../src/verify/constraints.js';
import { hiddenCharacters } from '../../../src/verify/limits/hidden.js';
import { constraintsOf, judgedBy } from './judging.js';

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const wide = (text: string): string =>
  text.replace(/[!-~]/g, (each) => String.fromCodePoint(each.codePointAt(0)! + 0xfee0));
const SPELLINGS: readonly ((words: readonly string[]) => string)[] = [
  (words) => words.join('_'),
  (words) => words.join('-'),
  (words) => words.join('.'),
  (words) => words.join(' '),
  (words) => words.map(capital).join(''),
  (words) => words.map((word, i) => (i === 0 ? word : capital(word))).join(''),
  (words) => words.join('_').toUpperCase(),
  (words) => wide(words.join('_')),
  (words) => words.map(wide).join('-'),
];
const number = (words: readonly string[]): readonly string[] => [...words.slice(0, -1), `${words.at(-1)}s`];

/** A name for the words in any spelling, with other words before it, in either number. */
const spelled = (...words: string[]): fc.Arbitrary<string> =>
  fc
    .record({
      before: fc.subarray(['my', 'order', 'target', 'grand']),
      plural: fc.boolean(),
      spelling: fc.constantFrom(...SPELLINGS),
    })
    .map(({ before, plural, spelling }) => spelling([...before, ...(plural ? number(words) : words)]));

const nested = (name: string, value: Json, path: readonly (string | null)[]): JsonObject =>
  path.reduceRight<JsonObject>((inner, step) => (step === null ? { list: [inner] } : { [step]: inner }), {
    [name]: value,
  });
const place = fc.array(fc.constantFrom('order', 'config', 'data', null), { maxLength: 4 });

const RULES: readonly [constraints: JsonObject, words: string[], over: Json, code: string][] = [
  [{ monetary_limit: 100, currency: 'USD' }, ['amount'], 101, 'AIP-E202'],
  [{ monetary_limit: 100, currency: 'USD' }, ['total'], '1,000.00', 'AIP-E202'],
  [{ daily_limit: 100, currency: 'USD' }, ['price'], 101, 'AIP-E212'],
  [{ allowed_domains: ['acme.com'] }, ['url'], 'https://evil.com', 'AIP-E203'],
  [{ allowed_domains: ['acme.com'] }, ['recipient'], 'a@evil.com', 'AIP-E203'],
  [{ allowed_symbols: ['AAPL'] }, ['symbol'], 'GME', 'AIP-E204'],
  [{ allowed_environments: ['staging'] }, ['env'], 'production', 'AIP-E206'],
  [{ denied_regions: ['mars'] }, ['region'], 'MARS ', 'AIP-E206'],
  [{ max_instances: 10 }, ['instance'], 11, 'AIP-E207'],
  [{ max_instances: 10 }, ['replica'], 11, 'AIP-E207'],
  [{ require_approval: { environments: ['production'] } }, ['stage'], 'Production', 'AIP-E209'],
];

describe("no name of the agent's choosing changes what a limit reads", () => {
  test.each(RULES)('%j', (constraints, words, over, code) => {
    const compiled = constraintsOf(constraints);
    fc.assert(
      fc.property(spelled(...words), place, (name, path) => {
        // At the top "amount" itself is read by its own rules (E211).
        const params = nested(name, over, path);
        const codes = checkConstraints(compiled, judgedBy({ params })).map(({ entry }) => entry.code);
        expect([name, codes]).toEqual([name, expect.arrayContaining([code])]);
      }),
      { numRuns: 300 },
    );
  });

  test('a currency at either end of the name of an amount', () => {
    const compiled = constraintsOf({ monetary_limit: 100, currency: 'USD' });
    const code = fc.constantFrom('kwd', 'eur', 'gbp', 'jpy', 'chf', 'cad');
    const word = fc.constantFrom('total', 'price', 'refund', 'payment', 'fee');
    fc.assert(
      fc.property(
        code,
        word,
        fc.boolean(),
        fc.constantFrom(...SPELLINGS),
        place,
        (other, money, first, spelling, path) => {
          const name = spelling(first ? [other, money] : [money, other]);
          const found = checkConstraints(compiled, judgedBy({ params: nested(name, 5, path) }));
          expect([name, found.map(({ details }) => details.requested)]).toEqual([name, [other.toUpperCase()]]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a price is one of the quantity beside it, alone or in an object', () => {
    const compiled = constraintsOf({ monetary_limit: 100, currency: 'USD' });
    const member = fc.constantFrom('usd', 'value', 'amount', 'units', 'gross');
    const price = fc.constantFrom('price', 'cost', 'unit_price', 'price_per_seat');
    fc.assert(
      fc.property(
        member,
        price,
        fc.nat(40),
        fc.integer({ min: 1, max: 5 }),
        place,
        (inner, name, each, quantity, path) => {
          const asked = (value: Json): number =>
            checkConstraints(compiled, judgedBy({ params: nested('item', { [name]: value, quantity }, path) })).length;
          expect([asked(each), asked({ [inner]: each })]).toEqual(Array(2).fill(each * quantity > 100 ? 1 : 0));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a required param is found in any spelling', () => {
    const compiled = constraintsOf({ require_change_ticket: true });
    fc.assert(
      fc.property(spelled('change', 'ticket'), place, (name, path) => {
        expect(checkConstraints(compiled, judgedBy({ params: nested(name, 5, path) }))).toEqual([]);
      }),
    );
  });

  const INVISIBLE = [
    '\u200b',
    '\u00ad',
    '\ufeff',
    '\u2060',
    '\u202e',
    '\u3164',
    '\u{e0041}',
    '\u180e',
    '\u2800',
    '\ufe0f',
    '\u200d',
  ];
  test.each(RULES)(
    'an invisible character in the name or the value is refused by itself: %j',
    (constraints, words, over) => {
      const limits = [constraintsOf(constraints)];
      fc.assert(
        fc.property(spelled(...words), fc.constantFrom(...INVISIBLE), fc.nat(20), place, (name, hidden, at, path) => {
          const inName = name.slice(0, at) + hidden + name.slice(at);
          const value = typeof over === 'string' ? over : 'x';
          for (const params of [
            nested(inName, over, path),
            nested(name, value.slice(0, at) + hidden + value.slice(at), path),
          ]) {
            const found = hiddenCharacters(limits, judgedBy({ params }));
            expect(found.map(({ entry }) => entry.code)).toEqual(['AIP-E211']);
          }
        }),
        { numRuns: 200 },
      );
    },
  );

  test('under a weak name a character hides a destination from a rule on all of them, and from no other rule', () => {
    const found = (constraints: JsonObject, params: JsonObject) =>
      hiddenCharacters([constraintsOf(constraints)], judgedBy({ params })).map(({ entry }) => entry.code);
    const params = { origin: 'https://ev\u200bil.com' };
    expect(tierOf(nameOf('origin'))).toBe('weak');
    expect(found({ allowed_domains: ['acme.com'] }, params)).toEqual(['AIP-E211']);
    expect(found({ allowed_domains: ['acme.com'] }, { origin: 'no\u200bte' })).toEqual([]);
    expect(found({ allowed_domains: ['acme.com'] }, { note: 'https://ev\u200bil.com' })).toEqual([]);
    expect(found({ allowed_domains: { value: ['acme.com'], params: ['to'] } }, params)).toEqual([]);
    expect(found({ monetary_limit: 5 }, params)).toEqual([]);
    expect(found({ monetary_limit: 5 }, { amount: 5, currency_code: 'US\u200bD' })).toEqual(['AIP-E211']);
  });

  test('scripts that need joiners, pictures and white space hide nothing', () => {
    const limits = [constraintsOf({ require_reason: true, allowed_domains: ['acme.com'] })];
    for (const reason of ['می\u200cخواهم', 'क्\u200dष', 'thanks ❤\ufe0f', '👩\u200d💻', 'two\nlines\t.', 'naïve']) {
      expect(hiddenCharacters(limits, judgedBy({ params: { reason } }))).toEqual([]);
    }
    expect(hiddenCharacters(limits, judgedBy({ params: { 'می\u200cخواهم': 1 } }))).toEqual([]);
    expect(hiddenCharacters(limits, judgedBy({ params: { note: 'a\u200bb' } }))).toEqual([]);
  });
});

describe('required', () => {
  const codes = (constraints: JsonObject, of: Parameters<typeof judgedBy>[0]) =>
    checkConstraints(constraintsOf(constraints), judgedBy(of)).map(({ entry }) => entry.code);
  const REQUIRE = { require_ticket: true };

  test.each<[Json]>([
    [''],
    ['  '],
    ['\u00a0\u3000'],
    ['\u0000'],
    [null],
    [false],
    [[]],
    [{}],
    [[[], {}, '', ' ']],
    [{ a: null, b: [''] }],
  ])('%j is empty', (ticket) => expect(codes(REQUIRE, { params: { ticket } })).toEqual(['AIP-E208']));

  test('asks actions that do something, and those whose schema declares it', () => {
    for (const action of ['cancel_order', 'cancelOrder', 'list_orders', 'getOrder', 'read-order']) {
      expect(codes(REQUIRE, { action, params: {} })).toEqual([]);
    }
    for (const action of ['place_order', 'forget', 'listen_in', 'reader']) {
      expect(codes(REQUIRE, { action, params: {} })).toEqual(['AIP-E208']);
    }
    const declares = { type: 'object', properties: { ticket: { type: 'string' } } };
    expect(codes(REQUIRE, { action: 'cancel_order', params: {}, schema: declares })).toEqual(['AIP-E208']);
    expect(codes(REQUIRE, { action: 'pay', params: {}, schema: { type: 'object' } })).toEqual([]);
    const scoped = { require_ticket: { value: true, actions: ['list_orders'] } };
    expect(codes(scoped, { action: 'list_orders', params: {} })).toEqual(['AIP-E208']);
    expect(codes(scoped, { action: 'pay', params: {} })).toEqual([]);
  });
});
