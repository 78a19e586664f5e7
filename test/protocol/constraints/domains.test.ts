import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  domainList,
  isListed,
  normalizeDomain,
  parsePattern,
  type DomainPattern,
} from '../../../src/protocol/constraints/domains.js';
import { destinationsIn } from '../../../src/protocol/constraints/destinations.js';
import { hostsOf } from '../../../src/protocol/constraints/hosts.js';
import type { Json } from '../../../src/protocol/json/values.js';

describe('names', () => {
  test.each([
    ['acme.com', 'acme.com'],
    ['ACME.Com', 'acme.com'],
    ['acme.com.', 'acme.com'],
    ['localhost', 'localhost'],
    ['münchen.de', 'xn--mnchen-3ya.de'],
    ['XN--MNCHEN-3YA.de', 'xn--mnchen-3ya.de'],
    ['ａｃｍｅ．ｃｏｍ', 'acme.com'],
    ['acme。com', 'acme.com'],
    ['a-b.c1.example', 'a-b.c1.example'],
    ['1.example', '1.example'],
    ['straße.de', 'xn--strae-oqa.de'],
  ])('%j is %s', (text, name) => expect(normalizeDomain(text)).toBe(name));

  test.each([
    '',
    '.',
    '..',
    'acme..com',
    '.acme.com',
    'acme.com..',
    'acme com',
    ' acme.com',
    'acme.com ',
    'acme.com\n',
    'ac\tme.com',
    'a_b.com',
    '-acme.com',
    'acme-.com',
    'acme.com:443',
    'acme.com/',
    'acme.com?',
    'acme.com#',
    'acme.com\\',
    'user@acme.com',
    '@acme.com',
    '%61cme.com',
    'acme.com%00',
    'acme.com\0',
    '*.acme.com',
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '１２７.0.0.1',
    '1.2.3.0x',
    'acme.1',
    'acme.0x1',
    '::1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'xn--a.com',
    'xn--.com',
    'xn--acme-.com',
    'ac\u00adme.com',
    'acme\u200b.com',
    'acme\u200d.com',
    'acme.com\u202e',
    'acme.com\ufeff',
    'acme.com\u3000',
    'acme.com／x',
    'acme.com＠evil.com',
    'acme.com：80',
    '℀cme.com',
    '\ud800.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
    'a'.repeat(5000),
    'é'.repeat(5000),
    "a'b.com",
    'a,b.com',
    'a;b.com',
    // An invalid label beside one that is written in Unicode.
    'é.xn---b0x',
    'é.xn--a',
  ])('%j is none', (text) => expect(normalizeDomain(text)).toBeNull());

  test('a name is its own normal form, and the one that the WHATWG parser connects to', () => {
    const text = fc.oneof(
      fc.domain(),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc
        .array(
          fc.constantFrom('a', 'B', '.', '。', '-', 'é', 'ß', '0x', '1', 'xn--', 'Ａ', '\u00ad', '%', 'я', 'ı', 'K'),
          {
            maxLength: 10,
          },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        const name = normalizeDomain(written);
        if (name === null) return;
        expect(normalizeDomain(name)).toBe(name);
        expect(new URL(`http://${written}/`).hostname.replace(/\.$/, '')).toBe(name);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('patterns', () => {
  test.each([
    ['acme.com', 'acme.com', true],
    ['acme.com', 'mail.acme.com', false],
    ['acme.com', 'evilacme.com', false],
    ['acme.com', 'acme.com.evil.com', false],
    ['*.acme.com', 'mail.acme.com', true],
    ['*.acme.com', 'a.b.acme.com', true],
    ['*.acme.com', 'acme.com', false],
    ['*.acme.com', 'evilacme.com', false],
    ['*.acme.com', 'mail.acme.com.evil.com', false],
    ['*.com', 'com', false],
    ['ACME.com.', 'acme.com', true],
  ])('%s and %s: %s', (text, domain, allowed) => {
    expect(isListed(domainList([{ text, pattern: parsePattern(text)! }]), domain)).toBe(allowed);
  });

  test.each([
    '',
    '*',
    '*.',
    '*.*',
    '**.acme.com',
    '*acme.com',
    'a.*.com',
    'acme.*',
    '*.127.0.0.1',
    '.acme.com',
    '*..acme.com',
    '*.acme.com/',
  ])('%j is none', (text) => expect(parsePattern(text)).toBeNull());

  test('a list allows exactly what one of its patterns matches', () => {
    const matches = ({ kind, domain }: DomainPattern, name: string): boolean =>
      kind === 'exact' ? name === domain : name.endsWith(`.${domain}`);
    const name = fc
      .array(fc.constantFrom('a', 'b', 'com'), { minLength: 1, maxLength: 4 })
      .map((labels) => labels.join('.'));
    const written = fc.tuple(fc.boolean(), name).map(([wild, domain]) => (wild ? `*.${domain}` : domain));
    fc.assert(
      fc.property(fc.array(written, { maxLength: 4 }), name, (texts, domain) => {
        const entries = texts.map((text) => ({ text, pattern: parsePattern(text)! }));
        expect(isListed(domainList(entries), domain)).toBe(entries.some(({ pattern }) => matches(pattern, domain)));
      }),
    );
  });
});

const LIST = domainList(['acme.com', '*.corp.example'].map((text) => ({ text, pattern: parsePattern(text)! })));
// A list taken for one host (`acme.com,https`) is no name that anybody could own or look up.
const isAllowedName = (host: string) => /[,;]|^(?:acme\.com|.+\.corp\.example)\.?$/.test(host);
/** What the constraint does with a value, in one word. */
const isAccepted = (value: Json) => hostsOf(value).every((reading) => reading.ok && isListed(LIST, reading.host));

/** The host that the WHATWG parser would connect to, or null where it would not. */
function whatwgHost(text: string): string | null {
  try {
    return new URL(text).hostname;
  } catch {
    return null;
  }
}

// Pieces that attacks on URL and address parsers are made of.
const PIECES = [
  ...[
    'acme.com',
    'evil.com',
    'x.corp.example',
    'corp.example',
    'a',
    'Bo',
    '127.0.0.1',
    '2130706433',
    '[::1]',
    'localhost',
  ],
  ...[
    'http://',
    'https://',
    'HTTPS://',
    'https:',
    '//',
    '/',
    '\\',
    'mailto:',
    'javascript:',
    'ftp://',
    ':',
    ':443',
    ':0',
  ],
  ...[
    '@',
    '@acme.com',
    '@evil.com',
    '%40',
    '%2e',
    '%00',
    '＠',
    '。',
    '．',
    '.',
    '..',
    '#',
    '?',
    '?cc=',
    '&',
    '=',
    '!',
    '%',
  ],
  ...[
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\0',
    '\u00ad',
    '\u200b',
    '\u202e',
    '\u00a0',
    '\u2028',
    ',',
    ';',
    ', ',
    '<',
    '>',
    '"',
    "'",
    '(',
    ')',
  ],
  ...['xn--', 'ｅｖｉｌ.com', 'acm\u0435.com', '℀', '／', '\ufe6b', '|', '`', '*', '-', '_', '+'],
];

/** True for what stands behind a comma of a URL and is no destination: no dot, address, scheme, port or share, encoded or not. */
const isWordOfUrl = (part: string, text: string) =>
  /^ *(?:https?|wss?):\/\//i.test(text) &&
  !/[.。@:\\]|\/\/|^localhost\b/i.test(part.replace(/%2e/gi, '.').replace(/%40/g, '@').normalize('NFKC'));

describe('disguises', () => {
  // Biased to accept: a piece or two put into, before or behind something that is allowed.
  const piece = fc.constantFrom(...PIECES);
  const harmless = fc.constantFrom(
    'a@acme.com',
    'https://acme.com/',
    'https://x.corp.example',
    'acme.com',
    'Bo <bo@acme.com>',
    '"B, o" <bo@acme.com>',
  );
  const spliced = fc
    .tuple(harmless, fc.array(fc.tuple(fc.nat(24), piece), { minLength: 1, maxLength: 3 }))
    .map(([text, splices]) =>
      splices.reduce<string>((all, [at, added]) => all.slice(0, at) + added + all.slice(at), text),
    );
  const disguise = fc.oneof(
    spliced,
    fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join('')),
  );

  test('whatever is accepted leads the WHATWG parser, and every reader that splits lists, to an allowed host', () => {
    let accepted = 0;
    fc.assert(
      fc.property(disguise, (text) => {
        if (text.trim() === '' || !isAccepted(text)) return;
        accepted++;
        expect(text).not.toMatch(/[\x00-\x1f\\]/);
        const isUrl = (part: string) => /^ *(?:https?|wss?):\/\//i.test(part);
        for (const part of [text, ...text.split(/[,;]/)]) {
          if (isWordOfUrl(part, text)) continue;
          // Read as it stands, and as a client that puts the scheme before it.
          const asUrl = /^ *mailto:/i.test(part) ? null : whatwgHost(part);
          if (asUrl !== null && asUrl !== '') expect(asUrl).toSatisfy(isAllowedName);
          const asHost =
            isUrl(part) || /["<]/.test(text) ? null : whatwgHost(`http://${part.replace(/^ *mailto:/i, '')}`);
          if (asHost !== null) expect(asHost).toSatisfy(isAllowedName);
          // A reader that takes whatever follows an @ in anything but a URL.
          if (isUrl(part)) continue;
          for (const [, host] of part.matchAll(/[@＠\ufe6b]([^\s@<>",;]*)/g)) {
            expect(normalizeDomain(host!) ?? host).toSatisfy(isAllowedName);
          }
        }
      }),
      { numRuns: 30_000 },
    );
    // The property says nothing about texts that are refused, so enough must have been accepted.
    expect(accepted).toBeGreaterThan(500);
  });

  test('an array and an object are accepted exactly when each of their parts is, a list also when it is one URL', () => {
    // A blank text names no destination by itself; as a part of a list its control characters are refused.
    const part = disguise.filter((text) => text.trim() !== '' && !/[,;"]|mailto:/i.test(text));
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), (parts) => {
        const each = parts.every((text) => isAccepted(text));
        const [first, ...others] = parts;
        const isUrl = isAccepted(first!) && others.every((part) => isAccepted(part) || isWordOfUrl(part, first!));
        if (isAccepted(parts.join(',')) !== each) expect(isUrl).toBe(true);
        expect(isAccepted(parts)).toBe(each);
        expect(isAccepted(Object.fromEntries(parts.map((text, i) => [`m${i}`, text])))).toBe(each);
        expect(isAccepted([[{ a: parts }]])).toBe(each);
      }),
    );
  });

  test('no text makes reading slower than its length does', () => {
    // Quadratic reading of these takes minutes, and the test's time limit ends it.
    const run = (unit: string) => unit.repeat(300_000 / unit.length);
    const units = ['a@', ' <', '"', '.', ',', ';', 'a.', '@a', 'é', '<>', '((', ' ', 'a:', '1.', '\\'];
    const wrapped = [
      ['x', 'y '],
      ['x', '>'],
      ['é', 'y>'],
      ['"', '" <>'],
      ['x,', ',y'],
    ].flatMap(([before, after]) => [`${before}${run(' ')}${after}`, `${before}${run('. ')}${after}`]);
    expect(isAccepted(`https://acme.com/${run(',%41')}`)).toBe(true);
    for (const text of [...units.map(run), ...wrapped]) expect(isAccepted(text)).toBe(text.trim() === '');
    expect(isAccepted({ email: 'a@acme.com', name: `${run('. ')}!` })).toBe(false);
    expect(hostsOf(units.map(() => 'a@acme.com,'.repeat(5000))).length).toBeLessThanOrEqual(1025);
    for (const before of ['x:', '<', '//'])
      for (const unit of [...units, '@']) expect(destinationsIn(`${before}${run(unit)} x`, true)).toEqual([]);
  });
});

describe('readings', () => {
  test.each<[Json, string[]]>([
    ['a@acme.com', ['acme.com']],
    ['A.B+c@Acme.COM', ['acme.com']],
    ["o'neil@acme.com", ['acme.com']],
    ['böb@acme.com', ['acme.com']],
    ['Ann <a@acme.com>', ['acme.com']],
    ['<a@acme.com>', ['acme.com']],
    ['"Smith, Ann" <a@acme.com>, b@other.example', ['acme.com', 'other.example']],
    ['a@one.example; b@two.example', ['one.example', 'two.example']],
    ['https://acme.com', ['acme.com']],
    ['HTTPS://ACME.com:8443/a?b=c@evil.com#//evil.com', ['acme.com']],
    ['mailto:a@acme.com', ['acme.com']],
    ['acme.com:443', ['acme.com']],
    [
      ['a@one.example', { x: 'two.example', y: [null, 'three.example'] }],
      ['one.example', 'two.example', 'three.example'],
    ],
    [{ email: 'a@acme.com', name: 'Ann Smith' }, ['acme.com']],
    [{ 'a@one.example': 'two.example' }, ['one.example', 'two.example']],
    ['https://acme.com/u?fields=id,name;x=1', ['acme.com']],
    ['https://one.example/a,https://two.example/b', ['one.example', 'two.example']],
    [null, []],
    [[], []],
    [{}, []],
  ])('%j names %j', (value, hosts) => {
    expect(hostsOf(value).map((reading) => (reading.ok ? reading.host : `unreadable: ${reading.text}`))).toEqual(hosts);
  });

  test.each<[Json]>([
    [0],
    [true],
    [[1]],
    [{ port: 443 }],
    [{ email: 'a@acme.com', name: 'evil.com' }],
    [{ email: 'a@acme.com', name: 'x <b@evil.com>' }],
    [{ email: 'acme.com', name: 'evil one' }],
    [{ email: 'a@acme.com', name: ['evil.com'] }],
    [{ 'acme.com\\': 'acme.com' }],
    ['a@acme.com,,b@acme.com'],
    ['"a'],
    ['a"b"@acme.com'],
    ['a@acme.com>'],
    ['<a@acme.com'],
    ['<https://acme.com>'],
    ['<acme.com>'],
    ['https://acme.com/ x'],
    ['https://acme.com/"'],
    [`${'a'.repeat(65)}@acme.com`],
  ])('%j holds something unreadable or not allowed', (value) => expect(isAccepted(value)).toBe(false));

  test('an unreadable text is shown shortened', () => {
    const [reading] = hostsOf(`${'x '.repeat(30_000)}`);
    expect(reading?.ok).toBe(false);
    expect(reading!.text.length).toBeLessThan(300);
  });
});
