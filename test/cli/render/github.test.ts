import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderGithub } from '../../../src/cli/render/formats/github.js';
import { clean } from '../../../src/cli/render/terminal/text.js';
import { ACCEPTED, AGENT, hostileDecision, REFUND, refusal } from './decision-sample.js';

/** A workflow command as GitHub's runner reads one: properties up to the next `::`, then data, each unescaped. */
function command(line: string) {
  const match = /^::([a-z]+)(?: (.*?))?::(.*)$/s.exec(line);
  if (match === null) throw new Error(`no command: ${line}`);
  const undo = (text: string) =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  const properties = (match[2] ?? '')
    .split(',')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), undo(pair.slice(pair.indexOf('=') + 1))]);
  return {
    name: match[1],
    properties: Object.fromEntries(properties) as Record<string, string>,
    data: undo(match[3]!),
  };
}

/** A name without what a terminal obeys; its line breaks are encoded. */
const harmless = (name: string) =>
  name
    .split(/([\r\n])/)
    .map((part, i) => (i % 2 === 0 ? clean(part) : part))
    .join('');

describe('annotations', () => {
  test('name file, code and reason', () => {
    const { lines } = renderGithub([ACCEPTED, REFUND]);
    const { name, properties, data } = command(lines);
    expect(name).toBe('error');
    expect(properties).toEqual({ file: 'intent.json', title: 'AIP-E202 MONETARY_LIMIT_EXCEEDED' });
    expect(data.split('\n')).toEqual([
      `REFUSED issue_refund by ${AGENT}`,
      '10000 USD is above the limit of 100 USD for one action.',
      'requested 10000, limit 100, currency USD, param amount',
      expect.stringMatching(/^next: /),
    ]);
  });

  test('nothing refused, nothing written', () => {
    expect(renderGithub([ACCEPTED, ACCEPTED])).toEqual({ lines: '', summary: '### aip: 2 verified, 0 refused' });
    expect(renderGithub([])).toEqual({ lines: '', summary: '### aip: 0 verified, 0 refused' });
  });

  test.each([
    ['batch.ndjson:12', { file: 'batch.ndjson', line: '12' }],
    ['batch.ndjson line 3', { file: 'batch.ndjson', line: '3' }],
    ['a, b:c%/x.json', { file: 'a, b:c%/x.json' }],
    ['x\r\n::error::y.json', { file: 'x\r\n::error::y.json' }],
    ['\u001b]0;owned\u0007\u202ex\u009b2J.json', { file: 'x.json' }],
    ['-', {}],
    ['line 7', {}],
    [null, {}],
  ])('source %j', (source, expected) => {
    const { title, ...properties } = command(renderGithub([{ ...REFUND, source }]).lines).properties;
    expect(title).toBe('AIP-E202 MONETARY_LIMIT_EXCEEDED');
    expect(properties).toEqual(expected);
  });

  test('a line of standard input is named in the text, as there is no file to point at', () => {
    expect(command(renderGithub([{ ...REFUND, source: 'line 7' }]).lines).data).toContain('(line 7)');
  });

  test.each([
    [10, 10, 0],
    [11, 11, 1],
    [250, 11, 240],
  ])('of %d refusals make %d lines', (refused, written, more) => {
    const lines = renderGithub(Array.from({ length: refused }, () => REFUND)).lines.split('\n');
    expect(lines).toHaveLength(written);
    expect(lines.filter((line) => line.startsWith('::error '))).toHaveLength(10);
    if (more > 0)
      expect(command(lines[10]!)).toMatchObject({
        name: 'notice',
        data: expect.stringMatching(new RegExp(`^${more} more refused`)),
      });
  });

  test('of hostile intents are one command each, and its own', () => {
    fc.assert(
      fc.property(fc.array(hostileDecision, { minLength: 1, maxLength: 10 }), (decisions) => {
        const lines = renderGithub(decisions).lines.split(/\r\n|\r|\n/);
        expect(lines).toHaveLength(decisions.length);
        lines.forEach((line, i) => {
          const { name, properties } = command(line);
          expect(name).toBe('error');
          expect(Object.keys(properties).every((key) => ['file', 'line', 'title'].includes(key))).toBe(true);
          const { source } = decisions[i]!;
          // A colon is encoded, so a command in a name needs no space to be harmless.
          if (source !== '' && source !== '-')
            expect(properties.file).toBe(
              source!
                .split(/([\r\n:])/)
                .map((part, n) => (n % 2 === 0 ? harmless(part) : part))
                .join(''),
            );
        });
      }),
    );
  });
});

describe('the step summary', () => {
  const cellsOf = (row: string) => row.slice(2, -2).split(' | ');

  test('has a row for every refused intent', () => {
    const { summary } = renderGithub([ACCEPTED, REFUND]);
    const rows = summary.split('\n');
    expect(rows[0]).toBe('### aip: 1 verified, 1 refused');
    expect(rows).toHaveLength(5);
    expect(cellsOf(rows[4]!)).toHaveLength(5);
    expect(rows[4]).toContain('AIP-E202 MONETARY&#95;LIMIT&#95;EXCEEDED');
    expect(rows[4]).toContain('issue&#95;refund');
  });

  test('stays below what GitHub takes', () => {
    const long = refusal(
      'AIP-E201',
      'ACTION_NOT_DECLARED',
      {},
      { action: '|'.repeat(9000), message: '<'.repeat(9000) },
    );
    const { summary } = renderGithub(Array.from({ length: 1000 }, () => long));
    expect(summary.length).toBeLessThan(1024 * 1024);
    expect(summary).toMatch(/\nand 800 more refused$/);
  });

  test('stays below the limit whatever its cells hold: GitHub drops a longer one as a whole', () => {
    for (const text of ['@'.repeat(400), '\u{20000}'.repeat(400), '\u4e00'.repeat(400)]) {
      const violations = Array.from({ length: 16 }, () => ({ error_code: text, error_message: text, details: {} }));
      const hostile = { ...REFUND, violations, action: text, message: text, agent_id: text, source: text };
      const { summary } = renderGithub(Array.from({ length: 80 }, () => hostile));
      expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024);
      // The title, a gap, the table's head, its rows, a gap, and how many more.
      const rows = summary.split('\n').length - 6;
      expect(rows).toBeGreaterThan(5);
      expect(summary.endsWith(`\nand ${80 - rows} more refused`)).toBe(true);
    }
  });

  test.each([
    'a | b',
    '`code`',
    '<script>alert(1)</script>',
    '@octocat',
    'user@acme.com',
    '[x](http://evil.com)',
    'http://evil.com',
    '**bold**',
    '#123',
    '\\|',
    '&lt;',
    '</td>',
    '<!-- ',
    '~~x~~',
    '$x$',
    ':tada:',
    '_a_',
  ])('shows %s as text', (text) => {
    const { summary } = renderGithub([{ ...REFUND, action: text, message: text, agent_id: text, source: text }]);
    const row = summary.split('\n')[4]!.slice(2, -2);
    const cells = row.split(' | ');
    expect(cells).toHaveLength(5);
    for (const cell of cells.slice(1)) {
      const bare = cell.replaceAll('<!-- -->', '');
      expect(bare.replace(/&#\d+;/g, '')).toMatch(/^[\p{L}\p{N} ,-]*$/u);
      expect(bare.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))).toBe(text);
    }
  });

  test('of hostile intents keeps its shape', () => {
    fc.assert(
      fc.property(fc.array(hostileDecision, { minLength: 1, maxLength: 5 }), (decisions) => {
        const rows = renderGithub(decisions).summary.split(/\r\n|\r|\n/);
        expect(rows).toHaveLength(4 + decisions.length);
        for (const row of rows.slice(4)) {
          expect(row.match(/\|/g)).toHaveLength(6);
          expect(row.replaceAll('<!-- -->', '').replaceAll('<br>', '')).not.toMatch(/[<>@`*[\]\\]/);
        }
      }),
    );
  });
});
