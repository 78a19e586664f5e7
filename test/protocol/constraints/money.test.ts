import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currencyCodes, minorDigits } from '../../../src/protocol/constraints/currencies.js';
import { decimalOf, formatMinor, jsonOfMinor, minorOf, toMinor } from '../../../src/protocol/constraints/money.js';
import type { Json } from '../../../src/protocol/json/values.js';

/** An exact fraction, kept apart from the code under test: it knows no scales and no currencies. */
interface Fraction {
  readonly above: bigint;
  readonly below: bigint;
}

/** The fraction that a decimal text with or without an exponent stands for. */
function fractionOf(text: string): Fraction {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const power = BigInt(exponent) - BigInt(fraction.length);
  const above = BigInt(whole + fraction);
  return power >= 0n ? { above: above * 10n ** power, below: 1n } : { above, below: 10n ** -power };
}

function isEqual(a: Fraction, b: Fraction): boolean {
  return a.above * b.below === b.above * a.below;
}

const MINUS_ZERO_FREE = /^-0(?:\.0+)?$/;
const decimalText = fc
  .stringMatching(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$/)
  .filter((text) => !MINUS_ZERO_FREE.test(text));

describe('decimals', () => {
  test('a decimal text is read as exactly the fraction it writes', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const { coefficient, scale } = decimalOf(text)!;
        const negative = text.startsWith('-');
        const expected = fractionOf(negative ? text.slice(1) : text);
        const read = { above: negative ? -coefficient : coefficient, below: 10n ** BigInt(scale) };
        expect(isEqual(read, expected)).toBe(true);
        expect(scale === 0 || coefficient % 10n !== 0n).toBe(true);
      }),
    );
  });

  test('a number is read as exactly the text that JSON writes for it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const { coefficient, scale } = decimalOf(number)!;
        const expected = fractionOf(JSON.stringify(Math.abs(number)).replace('e+', 'e'));
        const magnitude = coefficient < 0n ? -coefficient : coefficient;
        expect(isEqual({ above: magnitude, below: 10n ** BigInt(scale) }, expected)).toBe(true);
        expect(coefficient < 0n).toBe(number < 0);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[Json | undefined]>([
    [undefined],
    [null],
    [true],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [''],
    [' '],
    ['+1'],
    ['1 '],
    ['\t1'],
    ['1\n'],
    ['01'],
    ['00'],
    ['1.'],
    ['.1'],
    ['1e5'],
    ['1_000'],
    ['1,5'],
    ['--1'],
    ['0x1'],
    ['Infinity'],
    ['٣'],
    ['１'],
    ['1'.repeat(19)],
    [`0.${'1'.repeat(19)}`],
    [[1]],
    [{}],
  ])('%j is no decimal', (value) => expect(decimalOf(value)).toBeNull());
});

describe('minor units', () => {
  test('are the decimal times ten to the digits of the currency, or nothing where that is not whole', () => {
    fc.assert(
      fc.property(decimalText, fc.constantFrom(...currencyCodes()), (text, currency) => {
        const minor = toMinor(decimalOf(text)!, currency);
        const { above, below } = fractionOf(text.replace('-', ''));
        const scaled = above * 10n ** BigInt(minorDigits(currency)!);
        const expected = text.startsWith('-') || scaled % below !== 0n ? null : scaled / below;
        expect(minor).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('come back exactly from what details show', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.constantFrom(...currencyCodes()), (minor, currency) => {
        const shown = jsonOfMinor(minor, currency);
        expect(toMinor(decimalOf(JSON.parse(JSON.stringify(shown)) as Json)!, currency)).toBe(minor);
      }),
      { numRuns: 1000 },
    );
  });

  test('a sum in minor units is the sum of the decimals, where doubles would drift', () => {
    const minor = (amount: number) => toMinor(decimalOf(amount)!, 'USD')!;
    expect(minor(0.1) + minor(0.2)).toBe(minor(0.3));
    expect(minor(1.1) * 3n).toBe(minor(3.3));
    expect(minor(64.1)).toBe(6410n);
    expect(minor(4.35)).toBe(435n);
    expect(minor(1.005 + 1)).toBe(null);
  });

  test.each<[string, string]>([
    ['0.001', 'USD'],
    ['0.1', 'JPY'],
    ['0.0001', 'KWD'],
    ['1.00001', 'CLF'],
    ['-1', 'USD'],
    ['-0.01', 'USD'],
    ['1', 'usd'],
    ['1', 'XAU'],
    ['1', 'DEM'],
    ['1', ''],
  ])('%s %s has none', (text, currency) => expect(toMinor(decimalOf(text)!, currency)).toBeNull());

  test.each<[Json | undefined]>([[undefined], [null], [1.5], [-1], ['1.5'], ['-1'], ['x'], [true], [[1]], [1e-7]])(
    '%j is no count of minor units',
    (value) => expect(minorOf(value)).toBeNull(),
  );
});

describe('currencies', () => {
  test.each([
    ['JPY', 0],
    ['KRW', 0],
    ['USD', 2],
    ['EUR', 2],
    ['KWD', 3],
    ['BHD', 3],
    ['CLF', 4],
  ])('%s has %i digits', (code, digits) => expect(minorDigits(code)).toBe(digits));

  test.each(['usd', 'US', 'USDT', 'BTC', 'XXX', 'XTS', 'XAU', 'DEM', 'HRK', '', 'constructor', '__proto__'])(
    '%j is none',
    (code) => expect(minorDigits(code)).toBeNull(),
  );

  test('every code is three capitals, and none stands twice', () => {
    const codes = currencyCodes();
    expect(codes.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.length).toBe(165);
  });
});

test.each([
  [1_000_000n, 'USD', '$10,000.00', 10000],
  [10_000n, 'USD', '$100.00', 100],
  [5n, 'EUR', '€0.05', 0.05],
  [1200n, 'JPY', 'JPY 1,200', 1200],
  [1n, 'KWD', 'KWD 0.001', 0.001],
  [0n, 'GBP', '£0.00', 0],
  [9_007_199_254_740_993n, 'JPY', 'JPY 9,007,199,254,740,993', '9007199254740993'],
  [900_719_925_474_099_301n, 'USD', '$9,007,199,254,740,993.01', '9007199254740993.01'],
])('%s minor units of %s are shown as %s and %j', (minor, currency, people, machines) => {
  expect(formatMinor(minor, currency)).toBe(people);
  expect(jsonOfMinor(minor, currency)).toBe(machines);
});
