import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeRows, codesJson, explainJson, renderExplain } from '../../../src/cli/render/explain.js';
import { CATALOGUES, entryOf, exitCodeOf, findCodes, nearestCodes } from '../../../src/cli/render/explain-catalogue.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { AIP1_CODES } from '../../../src/protocol/aip1/codes.js';
import { NATIVE_CODES } from '../../../src/protocol/codes.js';

test.each([
  'AIP-E202',
  'aip-e202',
  'e202',
  'E202',
  '202',
  ' 202 ',
  'MONETARY_LIMIT_EXCEEDED',
  'monetary-limit-exceeded',
  'Monetary limit exceeded',
])('%j is E202', (query) => {
  expect(new Set(findCodes(query).map(({ entry }) => entry.code))).toEqual(new Set(['AIP-E202']));
});

test.each([
  '',
  ' ',
  'E',
  'E20',
  '2020',
  'AIP',
  'AIP-E',
  'AIP-F202',
  'E202 ; x',
  '202.0',
  '-202',
  'MONETARY',
  '__proto__',
  'constructor',
  '٢٠٢',
])('%j is no code', (query) => {
  expect(findCodes(query)).toEqual([]);
  expect(renderExplain(query, plain)).toBeNull();
  expect(explainJson(query)).toBeNull();
});

test('every code of the catalogue explains itself, by code and by name', () => {
  for (const entry of Object.values(NATIVE_CODES)) {
    const shown = renderExplain(entry.code, plain, { width: 1000 })!;
    expect(findCodes(entry.name)[0]).toEqual({ dialect: 'native', entry });
    for (const part of [entry.code, entry.name, entry.meaning, entry.remedy, ...entry.facts])
      expect(shown).toContain(part);
    expect(explainJson(entry.code)![0]).toEqual({
      dialect: 'native',
      code: entry.code,
      name: entry.name,
      concern: entry.concern,
      extension: false,
      meaning: entry.meaning,
      facts: ['agent_id', ...entry.facts],
      remedy: entry.remedy,
      exit_code: exitCodeOf(entry),
    });
  }
});

test('the exit codes are those of the protocol', () => {
  const exit = (code: string) => explainJson(code)![0]!.exit_code;
  expect(['E100', 'E301', 'E202', 'E401', 'E209', 'E500'].map(exit)).toEqual([10, 11, 12, 13, 14, 5]);
});

test('a code that two dialects have is explained in both, native first', () => {
  const shown = renderExplain('202', plain)!;
  expect(shown.indexOf('native dialect')).toBeGreaterThan(0);
  expect(shown.indexOf('aip-1 dialect')).toBeGreaterThan(shown.indexOf('native dialect'));
  expect(renderExplain('EXPIRED_ENVELOPE', plain)).not.toContain('native');
});

test('both catalogues answer, each entry under its own dialect', () => {
  expect(CATALOGUES.map(({ dialect, codes }) => [dialect, codes.length])).toEqual([
    ['native', Object.keys(NATIVE_CODES).length],
    ['aip-1', Object.keys(AIP1_CODES).length],
  ]);
  expect(explainJson('E100')!.map(({ dialect, name }) => [dialect, name])).toEqual([
    ['native', 'MALFORMED_INTENT'],
    ['aip-1', 'INVALID_SIGNATURE'],
  ]);
  expect(entryOf('AIP-E100', 'aip-1')?.name).toBe('INVALID_SIGNATURE');
  expect(entryOf('AIP-E999', 'native')).toBeNull();
  // Numbers that RFC-001 leaves free are marked as ours.
  expect(explainJson('E205')!.map(({ dialect, name, extension }) => [dialect, name, extension])).toEqual([
    ['native', 'RATE_LIMIT_EXCEEDED', false],
    ['aip-1', 'RATE_LIMIT', true],
  ]);
  expect(renderExplain('RATE_LIMIT', plain)).toContain('an extension: not of RFC-001');
  expect(renderExplain('GEO_RESTRICTION', plain)).not.toContain('extension');
});

test('lines keep to the width', () => {
  for (const line of renderExplain('AIP-E101', plain, { width: 50 })!.split('\n'))
    expect(line.length).toBeLessThanOrEqual(50);
});

describe('suggestions', () => {
  test.each([
    ['REPLAY_DETECTD', 'AIP-E301'],
    ['MONETRY_LIMIT', 'AIP-E202'],
    ['singature', 'AIP-E101'],
    ['revoked', 'AIP-E401'],
    ['E22', 'AIP-E202'],
    ['AIP-E217', 'AIP-E216'],
    ['stale', 'AIP-E405'],
  ])('%s means %s', (query, code) => {
    expect(nearestCodes(query)[0]?.code).toBe(code);
  });

  test.each(['', 'zzz', 'AIP-E999999', '🙂', 'x'.repeat(100_000)])('nothing is near %.20j', (query) => {
    expect(nearestCodes(query)).toEqual([]);
  });

  test('are three at most, each once, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (query) => {
        const near = nearestCodes(query).map(({ code }) => code);
        expect(near.length).toBeLessThanOrEqual(3);
        expect(new Set(near).size).toBe(near.length);
      }),
    );
  });
});

test('the list has every code of every dialect in the order of their numbers, with its exit code', () => {
  const rows = codeRows();
  const ordered = (codes: object) =>
    Object.values(codes as typeof NATIVE_CODES).sort((a, b) => (a.code < b.code ? -1 : 1));
  const all = [...ordered(NATIVE_CODES), ...ordered(AIP1_CODES)];
  expect(rows.map(([, code, name]) => `${code} ${name}`)).toEqual(all.map(({ code, name }) => `${code} ${name}`));
  expect(rows.find(([dialect, code]) => dialect === 'native' && code === 'AIP-E209')?.[3]).toBe('14');
  expect(codesJson().map(({ code }) => code)).toEqual(all.map(({ code }) => code));
});

test('what can be a wrong clock says so, and a term that is over is renewed without another key', () => {
  expect(NATIVE_CODES.PASSPORT_EXPIRED.remedy).toContain('`aip passport renew <agent>`');
  for (const { remedy } of [NATIVE_CODES.PASSPORT_EXPIRED, NATIVE_CODES.TIMESTAMP_IN_FUTURE])
    expect(remedy).toMatch(/[Cc]ompare the clocks of both machines/);
});

test.each(['AGENT_REVOKED', 'AGENT_SUSPENDED', 'PRINCIPAL_REVOKED'])(
  '%s says in each dialect what undoes it',
  (name) => {
    const found = findCodes(name);
    expect(found).toHaveLength(2);
    for (const { entry } of found) expect(entry.remedy).toMatch(/`aip reinstate <(agent|principal)>`/);
  },
);
