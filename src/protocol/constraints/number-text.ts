/** Texts that are numbers in any usual spelling: what an executor behind us could make an amount of. */
import { coefficientAt, compareDecimals, type Decimal } from './money.js';
import { currenciesOfSign, isCurrencyWord, minorDigits } from './currencies.js';
import { lazy } from '../lazy.js';
import { visibleText } from '../naming/hidden.js';

/** Longer texts are no amount that anybody writes; the longest double has 309 digits. */
const LONGEST = 400;
const MOST_ZEROS = 400;
const MAYBE = lazy(() => /\p{N}|inf/iu);
const NON_ASCII = /[^\x00-\x7f]/;
const MINUS = /[\u2010-\u2015\u2212]/g;
// A sign of currency, alone (€) or with letters on either side (US$, US $, $CA), before or behind the number.
const BESIDE_SIGN = '(?<![A-Z])(?!inf)[A-Z]{1,3}';
const SIGN = lazy(
  () =>
    new RegExp(
      String.raw`^(?:${BESIDE_SIGN}\s?)?\p{Sc}(?:${BESIDE_SIGN}(?=[\s0-9.]))?\s*|\s*(?:${BESIDE_SIGN}\s?)?\p{Sc}(?:\s?${BESIDE_SIGN})?$`,
      'giu',
    ),
);
// What people write for a sign that keyboards lack.
const WRITTEN_SIGN = lazy(
  () =>
    /^(?:rs|kr|fr|zł|kč|ft|lei|rp|rm|tl)(?=[\s.0-9+-])\.?\s*|\s*(?:rs|kr|fr|zł|kč|ft|lei|tl|руб|円|元|(?:us |u\.s\. )?dollars?|euros?|pounds?|yen|yuan|rupees?|pesos?|francs?)\.?$/giu,
);
// Of Arabic: the decimal point and the sign between groups.
const ARABIC: readonly (readonly [RegExp, string])[] = [
  [/\u066b/g, '.'],
  [/\u066c/g, ','],
];
const CODE = /^[A-Z]{3}(?=[\s0-9.,+-])\s*|\s*[A-Z]{3}$/gi;
const LETTERS = /[A-Za-z$]|[^\x00-\x7f]/;
const RADIX = /^0(?:x[0-9a-f]+|o[0-7]+|b[01]+)$/i;
const INFINITE = /^inf(?:inity)?$/i;
const EXPONENT = /^(.*[0-9.,])e([+-]?[0-9]{1,9})$/i;
const PLAIN = /^(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)$/;
// Groups of three, or of two before the last as in India.
const GROUPS: readonly RegExp[] = [',', '\\.', "'", '’', ' ', '_'].map(
  (sign) => new RegExp(`^[1-9][0-9]{0,2}(?:${sign}[0-9]{2,3})*${sign}[0-9]{3}(?:[.,][0-9]*)?$`),
);
const HUGE: Decimal = { coefficient: 10n ** 400n, scale: 0 };

/**
 * The number that the text says, without its sign; the larger one where it can be read in two ways (`1.000`). Null for a text that is
 * none. Signs, decimals, exponents, grouping, currency signs and codes, other scripts' digits, and the `0x` of programs are read.
 */
export function numberIn(text: string): Decimal | null {
  if (text.length > LONGEST || !MAYBE().test(text)) return null;
  const { plain } = unmarked(text);
  if (INFINITE.test(plain)) return HUGE;
  if (RADIX.test(plain)) return { coefficient: BigInt(plain.toLowerCase()), scale: 0 };
  const scientific = EXPONENT.exec(plain);
  if (scientific !== null) {
    const exponent = Number(scientific[2]);
    return largest(mantissas(scientific[1]!).map((each) => shifted(each, exponent)));
  }
  return largest(mantissas(plain));
}

/**
 * The currency that a text which `numberIn` reads says by a code or a sign before or behind the number, where it cannot be `own` (ISO 4217);
 * null where it says none, or by letters that stand for too much (`kr`).
 */
export function otherCurrencyIn(text: string, own: string): string | null {
  if (!LETTERS.test(text) || numberIn(text) === null) return null;
  const said = unmarked(text).marks.map(currenciesOfMark);
  return said.find((each) => each.length > 0 && !each.includes(own))?.[0] ?? null;
}

/** A text without what stands around its number, and the signs and codes of currencies that stood there. */
interface Unmarked {
  readonly plain: string;
  readonly marks: readonly string[];
}

/** More are around no number that anybody writes. */
const MOST_MARKS = 4;

function unmarked(text: string): Unmarked {
  const marks: string[] = [];
  const kept = (mark: string): string => {
    marks.push(mark);
    return '';
  };
  let plain = bare(asciiOf(text));
  for (let left = MOST_MARKS; left > 0; left--) {
    const before = plain;
    plain = bare(plain.replace(SIGN(), kept).replace(WRITTEN_SIGN(), kept));
    // Before a code is taken off, which could be its last digits (`0xFFCAD`).
    if (RADIX.test(plain)) break;
    plain = bare(plain.replace(CODE, (code) => (minorDigits(code.trim().toUpperCase()) === null ? code : kept(code))));
    if (plain === before) break;
  }
  return { plain, marks };
}

/** In any order: `$CA` is `CA$`, and `CAD $` says CAD. Letters that say nothing change no sign: `EU€` is `€`. */
function currenciesOfMark(mark: string): readonly string[] {
  const letters = mark.replace(/[^A-Z]/gi, '');
  if (isCurrencyWord(letters)) return [letters.toUpperCase()];
  const sign = mark.replace(/[A-Z\s.]/gi, '');
  const both = currenciesOfSign(letters + sign);
  return both.length > 0 ? both : currenciesOfSign(sign);
}

/** Without brackets and signs around it. */
function bare(text: string): string {
  return unsigned(unbracketed(text)).trim();
}

/** With plain digits, points and signs. */
function asciiOf(text: string): string {
  const plain = visibleText(text).trim();
  if (!NON_ASCII.test(plain)) return plain;
  return ARABIC.reduce(
    (ascii, [sign, own]) => ascii.replace(sign, own),
    withAsciiDigits(plain.normalize('NFKC').replace(MINUS, '-').trim()),
  );
}

/** Bookkeepers write what is owed in brackets, with the sign of the currency inside or before them. */
function unbracketed(text: string): string {
  return /^\((.*)\)$/.exec(text.trim())?.[1] ?? text;
}

function unsigned(text: string): string {
  return text.replace(/^\s*[+-]\s*/, '').replace(/\s*[+-]$/, '');
}

function mantissas(text: string): Decimal[] {
  const found: Decimal[] = [];
  const tight = /^[0-9_.,]+$/.test(text) ? text.replaceAll('_', '') : text;
  if (PLAIN.test(tight)) found.push(decimal(tight.replace(',', '.')));
  for (const [i, grouped] of GROUPS.entries()) {
    if (!grouped.test(text)) continue;
    const sign = [',', '.', "'", '’', ' ', '_'][i]!;
    found.push(decimal(text.replaceAll(sign, '').replace(',', '.')));
  }
  // `10.000,00` and `1,000.50`: of two signs the last one parts the decimals, whatever the groups look like.
  const both = /^[0-9][0-9.,' ’]*([.,])([0-9]+)$/.exec(text);
  if (both !== null && /[.,]/.test(text.slice(0, -both[2]!.length - 1))) {
    found.push(decimal(`${text.slice(0, -both[2]!.length - 1).replace(/[^0-9]/g, '')}.${both[2]}`));
  }
  return found;
}

function decimal(text: string): Decimal {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return { coefficient: BigInt(`${whole}${fraction}` || '0'), scale: fraction.length };
}

function shifted({ coefficient, scale }: Decimal, exponent: number): Decimal {
  if (coefficient === 0n) return { coefficient, scale: 0 };
  if (exponent > MOST_ZEROS) return HUGE;
  if (exponent < -MOST_ZEROS) return { coefficient: 1n, scale: MOST_ZEROS };
  const left = scale - exponent;
  return left >= 0
    ? { coefficient, scale: left }
    : { coefficient: coefficientAt({ coefficient, scale: left }, 0), scale: 0 };
}

function largest(readings: readonly Decimal[]): Decimal | null {
  return readings.reduce<Decimal | null>(
    (most, each) => (most === null || compareDecimals(each, most) > 0 ? each : most),
    null,
  );
}

/** The digits of a script stand in a row of ten, from zero to nine. */
function withAsciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0)!;
    let value = 0;
    while (value < 9 && isDigit(point - value - 1)) value++;
    return String(value);
  });
}

function isDigit(point: number): boolean {
  return /^\p{Nd}$/u.test(String.fromCodePoint(point));
}
