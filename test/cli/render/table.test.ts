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
