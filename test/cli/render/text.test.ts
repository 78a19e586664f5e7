import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { table } from '../../../src/cli/render/terminal/table.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { clean, counted, fit, fitEnd, flowed, safeJson, wrap } from '../../../src/cli/render/terminal/text.js';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';

describe('clean', () => {
  test.each([
    ['plain text, ünïcode and 日本語 stay', 'plain text, ünïcode and 日本語 stay'],
    ['red \u001b[31mtext\u001b[0m', 'red text'],
    ['8-bit \u009b31mred', '8-bit red'],
    ['title \u001b]0;evil\u0007after', 'title after'],
    ['link \u001b]8;;http://evil\u001b\\text\u001b]8;;\u001b\\', 'link text'],
    ['unfinished \u001b]0;never ends', 'unfinished ]0;never ends'],
    ['clipboard \u001b]52;c;ZXZpbA==\u0007', 'clipboard '],
    ['dcs \u001bP1$r0m\u001b\\x', 'dcs x'],
    ['a\nb\r\nc\td\u2028e\u2029f\u0085g', 'a b c d e f g'],
    ['over\rwrite', 'over write'],
    ['back\b\bspace\u007f', 'backspace'],
    ['bidi \u202egpj.exe\u202c \u2066x\u2069', 'bidi gpj.exe x'],
    ['zero\u200bwidth\u200d\ufeff\u00ad', 'zerowidth'],
    ['tags \u{e0041}\u{e0042}', 'tags '],
    ['variation \ufe0f\u{e0101}', 'variation '],
    ['filler \u3164\u115f', 'filler '],
    ['lone \ud800 surrogate', 'lone  surrogate'],
    ['nul\u0000', 'nul'],
  ])('%j', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });
  test('leaves nothing that a terminal obeys, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(clean(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      }),
    );
  });
  test('is not made to leave a sequence by nesting one in another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('\u001b', '[', ']', '3', '1', 'm', '\u0007', '\\', '\u009b', ';', 'x'), {
          maxLength: 60,
        }),
        (parts) => {
          expect(clean(parts.join(''))).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        },
      ),
    );
  });
});

test('neither form holds what an older CI runner takes for a command wherever it stands', () => {
  const text = 'a ##[add-mask]b ##[stop-commands]c';
  expect(clean(text)).not.toContain('##[');
  expect(clean('#\u200b#[add-mask]')).not.toContain('##[');
  expect(safeJson({ [text]: text })).not.toContain('##[');
  expect(JSON.parse(safeJson({ [text]: text }))).toEqual({ [text]: text });
});

describe('safeJson', () => {
  test('is the same document', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        expect(JSON.parse(safeJson(value))).toEqual(value);
      }),
    );
  });
  test('holds no character that a terminal obeys', () => {
    const value = { a: '\u001b[31m\u009b\u202e\u{e0041}\u2028\ud800', '\u200b': 1 };
    const text = safeJson(value);
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\p{Cf}\p{Cs}\u2028]/u);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('columns', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['🔒', 2],
    ['', 0],
    // A family, a flag and a keycap are drawn as one.
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['1\u20e3', 2],
    // Emoji that came after the ranges people know by heart, and signs of the same block that are letters.
    ['🫩', 2],
    ['⏳', 2],
    ['✓ ok · 3–4 → 5…', 15],
    ['\u001b[31mred\u001b[39m', 3],
  ])('%s takes %i', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
  test('fit never exceeds its columns', () => {
    expect(fit('abcdef', 4)).toBe('abc…');
    expect(fit('abcd', 4)).toBe('abcd');
    expect(fit('日本語', 4)).toBe('日…');
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        expect(columnsOf(fit(clean(text), columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
  test('what is measured without tables is what the tables say', () => {
    const wrong: string[] = [];
    for (let code = 0x20; code < 0x3000; code++) {
      const text = String.fromCodePoint(code);
      if (columnsOf(text) !== stringWidth(text)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
  test('what is drawn as one is kept whole or cut off whole', () => {
    expect(fit('ab🇩🇪cd', 4)).toBe('ab…');
    expect(fit('ab🇩🇪cd', 5)).toBe('ab🇩🇪…');
    expect(fitEnd('ab🇩🇪cd', 4)).toBe('…cd');
    expect(fitEnd('ab🇩🇪cd', 5)).toBe('…🇩🇪cd');
    expect(fit('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  });
  test('wrap breaks at spaces', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('incomprehensibilities x', 5)).toEqual(['incomprehensibilities', 'x']);
    expect(wrap('', 5)).toEqual(['']);
  });
  test('wrap leaves columns within a line as they are', () => {
    expect(wrap('passport    23  AIP-E102 9, AIP-E103 52', 26)).toEqual(['passport    23  AIP-E102', '9, AIP-E103 52']);
  });
});

describe('table', () => {
  const columns = [
    { title: 'name', flexible: true },
    { title: 'n', right: true },
  ];
  const rows = [
    ['short', '1'],
    ['a rather long name that does not fit', '12345'],
  ];
  test('for a pipe: tabs, no header, nothing cut, cells cleaned', () => {
    expect(table(columns, [...rows, ['x\ty\n\u001b[2J', '']], { width: null, paint: plain })).toBe(
      'short\t1\na rather long name that does not fit\t12345\nx y \t',
    );
  });
  test('for a terminal: a header, aligned, cut to the width', () => {
    const lines = table(columns, rows, { width: 24, paint: plain }).split('\n');
    expect(lines).toEqual(['NAME                   N', 'short                  1', 'a rather long na…  12345']);
  });
  test('rigid columns are never cut', () => {
    const wide = table([{ title: 'id' }], [['did:web:acme.com:agents:x']], { width: 10, paint: plain });
    expect(wide).toContain('did:web:acme.com:agents:x');
  });
  test('colour does not shift a column', () => {
    const painted = { ...plain, bold: (text: string) => `<b>${text}</b>` };
    const [header] = table(columns, rows, { width: 80, paint: painted }).split('\n');
    expect(header!.replaceAll(/<\/?b>/g, '')).toBe(`${'NAME'.padEnd(36)}      N`);
  });
});

describe('a text of several lines', () => {
  const text =
    'Only this machine has it. Copy it to every other machine.\n  aip passport import support-agent-v1.passport.json\n  reason  it was seen doing what it may not';
  test('is broken between words where the terminal ends, set in as it was; a command stays whole', () => {
    expect(flowed(text, 40).split('\n')).toEqual([
      'Only this machine has it. Copy it to',
      '  every other machine.',
      '  aip passport import support-agent-v1.passport.json',
      '  reason  it was seen doing what it may',
      '          not',
    ]);
  });
  test.each([
    '    "memo": "two  spaces, and more than fits",',
    '  "a, b and more than fits"',
    '{"line": "more than fits"}',
  ])('of JSON stays as it is, for what its strings hold is read exactly: %s', (line) => {
    expect(flowed(line, 20)).toBe(line);
  });
  test('is set in beside a label in colour', () => {
    expect(flowed('  \u001b[2mwithin   \u001b[22m  at most 100 USD at a time', 34).split('\n')).toEqual([
      '  \u001b[2mwithin   \u001b[22m  at most 100 USD at a',
      '             time',
    ]);
  });
  test('stays as it is where it fits, and where there is no terminal', () => {
    expect(flowed(text, 80)).toBe(text);
    expect(flowed(text, null)).toBe(text);
  });
});

test('one of a kind is told in the singular', () => {
  expect([0, 1, 2].map((count) => counted(count, 'entry', 'entries'))).toEqual(['0 entries', '1 entry', '2 entries']);
  expect(counted(1, 'event')).toBe('1 event');
});
