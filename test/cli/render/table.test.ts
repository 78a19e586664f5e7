import { expect, test } from 'vitest';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { table, type TableColumn } from '../../../src/cli/render/terminal/table.js';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';

const COLUMNS: readonly TableColumn[] = [
  { title: 'agent', flexible: true, keepsEnd: true },
  { title: 'status' },
  { title: 'rate', right: true, optional: true },
  { title: 'last 24 h', optional: true },
  { title: 'warnings', flexible: true },
];
const ROWS = [
  [
    'did:web:a-long-domain.example.com:agents:support-agent-v1',
    'warning',
    '33.3%',
    '▁'.repeat(24),
    'high_failure_rate',
  ],
  ['did:web:例え.example:agents:支付团队支付团队支付团队支付团队', 'ok', '-', ' '.repeat(24), ''],
];
const drawn = (width: number | null): string[] => table(COLUMNS, ROWS, { width, paint: plain }).split('\n');

test.each([300, 100, 80, 60])('fits %i columns, and what tells two agents apart stays', (width) => {
  const lines = drawn(width);
  for (const line of lines) expect(columnsOf(line), line).toBeLessThanOrEqual(width);
  expect(lines[1]).toContain(':support-agent-v1');
  expect(lines[2]).toContain('支付团队  ');
});

test('columns that may go, go from the right, and come back with the room', () => {
  const headings = (width: number) => drawn(width)[0]!.split(/ {2,}/);
  expect(headings(300)).toEqual(['AGENT', 'STATUS', 'RATE', 'LAST 24 H', 'WARNINGS']);
  expect(headings(80)).toEqual(['AGENT', 'STATUS', 'RATE', 'WARNINGS']);
  expect(headings(50)).toEqual(['AGENT', 'STATUS', 'WARNINGS']);
});

test('a column that may go gives way before one that stays', () => {
  const columns = [
    { title: 'key', flexible: true },
    { title: 'public key', flexible: true, optional: true },
  ];
  const [, line] = table(columns, [['k'.repeat(50), 'p'.repeat(72)]], { width: 100, paint: plain }).split('\n');
  expect(line).toMatch(/^k{50} {2}p{47}…$/);
});

test('a pipe gets every column, whole', () => {
  expect(drawn(null)).toEqual(ROWS.map((row) => row.join('\t')));
});

test('a terminal that is too narrow for a table gets a line for each cell, nothing cut', () => {
  const columns = [{ title: 'request' }, { title: 'agent', flexible: true }, { title: 'expires', optional: true }];
  const rows = [
    ['9248d54a2b78e27573b611de914a0888', 'did:web:acme.com:agents:bot', 'soon'],
    ['672681533d87dbd79feec02219c07c83', 'did:web:acme.com:agents:bot', ''],
  ];
  expect(table(columns, rows, { width: 46, paint: plain }).split('\n')[0]).toMatch(/^REQUEST +AGENT$/);
  expect(table(columns, rows, { width: 45, paint: plain })).toBe(
    [
      'REQUEST  9248d54a2b78e27573b611de914a0888',
      'AGENT    did:web:acme.com:agents:bot',
      'EXPIRES  soon',
      '',
      'REQUEST  672681533d87dbd79feec02219c07c83',
      'AGENT    did:web:acme.com:agents:bot',
      'EXPIRES',
    ].join('\n'),
  );
});

test('prose without room to read it stands under its row, and a brief form comes before lines', () => {
  const columns: readonly TableColumn[] = [
    { title: 'code' },
    { title: 'time', brief: (cell) => cell.slice(11, 19) },
    { title: 'meaning', flexible: true, under: true },
  ];
  const rows = [['AIP-E202', '2026-11-29T20:26:14Z', 'The amount is above the limit for one action.']];
  const shown = (width: number) => table(columns, rows, { width, paint: plain }).split('\n');
  expect(shown(60)[1]).toMatch(/^AIP-E202 {2}2026-11-29T20:26:14Z {2}The amount .*…$/);
  expect(shown(40)).toEqual([
    'CODE      TIME',
    'AIP-E202  2026-11-29T20:26:14Z',
    '  The amount is above the limit for one',
    '  action.',
  ]);
  expect(shown(24)[1]).toBe('AIP-E202  20:26:14');
  // Where the others have no room either, each cell has a line.
  expect(shown(16).slice(0, 3)).toEqual(['CODE     AIP-E202', 'TIME', '  2026-11-29T20:26:14Z']);
});
