import { lazy } from '../lazy.js';

/**
 * The active currencies of ISO 4217 (list one as published on 2026-01-01) by the number of digits of their minor unit.
 * Codes without a minor unit (metals, test codes, the SDR) are left out: no amount of them can be exact.
 */
const CODES_BY_DIGITS: readonly (readonly [digits: number, codes: string])[] = [
  [
    0,
    `
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
  `,
  ],
  [
    2,
    `
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
    CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
    RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
    USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
  `,
  ],
  [
    3,
    `
    BHD IQD JOD KWD LYD OMR TND
  `,
  ],
  [
    4,
    `
    CLF UYW
  `,
  ],
];

const DIGITS: ReadonlyMap<string, number> = new Map(
  CODES_BY_DIGITS.flatMap(([digits, codes]) =>
    codes
      .trim()
      .split(/\s+/)
      .map((code): [string, number] => [code, digits]),
  ),
);

/** Where a passport limits money and names no currency. */
export const DEFAULT_CURRENCY = 'USD';

/** Digits after the decimal point of an ISO 4217 code (JPY 0, USD 2, KWD 3), or null when it is not an active code with a minor unit. */
export function minorDigits(code: string): number | null {
  return DIGITS.get(code) ?? null;
}

/** Codes that are words or names of their own when they are not written in capitals. */
const WORDS: ReadonlySet<string> = new Set([
  'all',
  'amd',
  'bam',
  'bob',
  'cop',
  'cup',
  'ern',
  'gel',
  'mad',
  'mop',
  'pen',
  'ron',
  'sos',
  'top',
  'try',
]);

/** True for text that says an ISO 4217 code, in any case; `2 cup` and `total_all` say none. */
export function isCurrencyWord(text: string): boolean {
  return minorDigits(text.toUpperCase()) !== null && !(WORDS.has(text.toLowerCase()) && text !== text.toUpperCase());
}

const DOLLARS = 'USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD';
const PESOS = 'MXN ARS CLP COP CUP DOP PHP UYU';

/**
 * What signs stand for, in capitals; with letters before it a dollar says which. Two letters (`kr`, `Rs`, `ft`) stand for too much. Bitcoin has
 * no code of ISO 4217, so no limit is in it.
 */
const SIGNS = lazy(
  (): ReadonlyMap<string, readonly string[]> =>
    new Map(
      [
        `$: ${DOLLARS} ${PESOS} CVE MOP NIO TOP ZWG`,
        `DOLLAR DOLLARS: ${DOLLARS}`,
        `PESO PESOS: ${PESOS}`,
        'FRANC FRANCS: CHF XAF XOF XPF BIF CDF DJF GNF KMF RWF',
        'USDOLLAR USDOLLARS: USD',
        '€ EURO EUROS: EUR',
        '£ POUND POUNDS: GBP EGP FKP GIP LBP SDG SHP SSP SYP',
        '¥: JPY CNY',
        'YEN 円: JPY',
        'YUAN 元: CNY',
        'JP¥: JPY',
        'CN¥: CNY',
        '₹: INR',
        '₽ РУБ: RUB',
        '₩: KRW KPW',
        '₪: ILS',
        '₺: TRY',
        '₴: UAH',
        '₫: VND',
        '₦: NGN',
        '₱: PHP CUP',
        '฿: THB',
        '₡: CRC SVC',
        '₲: PYG',
        '₵: GHS',
        '₸: KZT',
        '₼: AZN',
        '₾: GEL',
        '৳: BDT',
        '֏: AMD',
        '៛: KHR',
        '₭: LAK',
        '₮: MNT',
        '؋: AFN',
        'ZŁ: PLN',
        'KČ: CZK',
        'LEI: RON MDL',
        '₿: BTC',
        'US$: USD',
        'A$ AU$: AUD',
        'C$: CAD NIO',
        'CA$: CAD',
        'NZ$: NZD',
        'HK$: HKD',
        'S$ SG$: SGD',
        'NT$: TWD',
        'R$: BRL',
        'MX$: MXN',
      ].flatMap((row) => {
        const [signs, codes] = row.split(': ') as [string, string];
        return signs.split(' ').map((sign): [string, readonly string[]] => [sign, codes.split(' ')]);
      }),
    ),
);

/** The currencies that a sign may stand for, the most usual first; none for one that says nothing. In any case. */
export function currenciesOfSign(sign: string): readonly string[] {
  return SIGNS().get(sign.toUpperCase()) ?? [];
}

/** Every code that `minorDigits` knows, in alphabetical order. */
export function currencyCodes(): string[] {
  return [...DIGITS.keys()].sort();
}
