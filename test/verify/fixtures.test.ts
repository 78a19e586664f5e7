import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NATIVE_CODES } from '../../src/protocol/codes.js';
import { generatedFiles, intentSuite, passportSuite } from '../kit/fixtures.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const files = await generatedFiles();

describe('native fixtures', () => {
  // Rerun with -u to write the files again after a change of the cases.
  test.each(Object.keys(files))('%s is what the seeds make', async (path) => {
    await expect(files[path]!).toMatchFileSnapshot(ROOT + path);
    expect(readFileSync(ROOT + path, 'utf8')).toBe(files[path]);
  });

  test('no file is left over', () => {
    const there = readdirSync(`${ROOT}fixtures`).filter((name) => name.endsWith('.json'));
    expect(there.filter((name) => files[`fixtures/${name}`] === undefined)).toEqual([]);
  });

  test('refusals outnumber acceptances three to one', () => {
    for (const { vectors } of [intentSuite(), passportSuite()]) {
      const accepted = vectors.filter(({ expect: { code, exit } }) => code === null && exit === 0);
      expect(vectors.length - accepted.length).toBeGreaterThanOrEqual(3 * accepted.length);
    }
  });

  test('every code that a verification can end with has a vector', () => {
    // Of the guard, which no intent is asked for, and of commands that need the mesh; what a spent approval needs before it has
    // vectors of its own (approvals.json).
    const others = ['AIP-E215', 'AIP-E216', 'AIP-E500', 'AIP-E501'];
    const shown = new Set(intentSuite().vectors.flatMap(({ expect: { code, codes = [] } }) => [code, ...codes]));
    const missing = Object.values(NATIVE_CODES).filter(({ code }) => !shown.has(code) && !others.includes(code));
    expect(missing).toEqual([]);
  });
});
