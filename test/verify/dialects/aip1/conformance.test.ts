import { describe, expect, test } from 'vitest';
import type { CodeEntry } from '../../../../src/protocol/codes.js';
import { AIP1_CODES } from '../../../../src/protocol/aip1/codes.js';
import { canonicalize } from '../../../../src/protocol/json/canonical.js';
import { judgeCase, runConformance } from '../../../../src/app/conformance/run.js';
import { readSuite } from '../../../../src/app/conformance/file.js';
import type { Json } from '../../../../src/protocol/json/values.js';
import { GUESSED } from '../../../../src/protocol/log/attribution.js';
import { conformanceSuite } from '../../../kit/conformance/suite.js';
import { written } from '../../../kit/conformance/written.js';

const FILE = new URL('../../../../fixtures/aip-1/conformance.json', import.meta.url);
const made = conformanceSuite();
const text = `${JSON.stringify(written(made), null, 1)}\n`;
const suite = readSuite(text);

describe('AIP-1 conformance', () => {
  // Rerun with -u to write the file again after a change of the cases.
  test('the file in fixtures is what the seeds make', async () => {
    await expect(text).toMatchFileSnapshot(FILE.pathname);
  });

  test('the file says what the seeds say', () => {
    const meaning = (document: string) => {
      try {
        return canonicalize(JSON.parse(document) as Json);
      } catch {
        return document;
      }
    };
    for (const [i, { documents, ...rest }] of suite.cases.entries()) {
      const { documents: original, ...others } = made.cases[i]!;
      expect(rest).toEqual(JSON.parse(JSON.stringify(others)));
      expect(documents?.map(meaning)).toEqual(original?.map(meaning));
    }
    expect(suite.cases.length).toBe(made.cases.length);
  });

  test.each(runConformance(suite))('$name', ({ got, expected, passed }) => {
    expect(got).toBe(expected);
    expect(passed).toBe(true);
  });

  test('refusals outnumber acceptances three to one', () => {
    const accepted = suite.cases.filter(({ expect: { code } }) => code === null);
    expect(suite.cases.length - accepted.length).toBeGreaterThanOrEqual(3 * accepted.length);
  });

  test('every code of the dialect that a verifier can report has a case', () => {
    // A verifier reports neither: the one is of commands that need the mesh, the other of a handshake that nobody makes here.
    const others = ['AIP-E500', 'AIP-E502'];
    const shown = new Set(suite.cases.map(({ expect: { code } }) => code));
    const ofRfc = Object.values<CodeEntry>(AIP1_CODES).filter(({ extension }) => extension !== true);
    const missing = ofRfc.filter(({ code }) => !shown.has(code) && !others.includes(code));
    expect(missing).toEqual([]);
  });

  test('every member of details is one that explain names', () => {
    const unnamed = new Set<string>();
    const accounted = new Set(['agent_id', GUESSED]);
    for (const each of suite.cases.filter(({ documents, bytes }) => (documents ?? bytes) !== undefined)) {
      for (const { decision } of judgeCase(each, suite.at)) {
        for (const { error_message, details } of decision.violations) {
          const facts = AIP1_CODES[error_message as keyof typeof AIP1_CODES]?.facts ?? [];
          for (const name of Object.keys(details))
            if (!accounted.has(name) && !facts.includes(name)) unnamed.add(`${error_message} ${name}`);
        }
      }
    }
    expect([...unnamed]).toEqual([]);
  });

  test('a wrong expectation is noticed', () => {
    const [first] = suite.cases;
    const wrong = { ...suite, cases: [{ ...first!, expect: { code: 'AIP-E400' } }] };
    expect(runConformance(wrong)[0]!.passed).toBe(false);
  });
});
