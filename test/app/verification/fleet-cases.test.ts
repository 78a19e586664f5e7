/** Every AIP-1 case through a memory that a fleet shares: the same decision in the same words. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSuite } from '../../../src/app/conformance/file.js';
import { judgeCase } from '../../../src/app/conformance/run.js';
import { judgedInFleet } from '../../kit/state/judged-in-fleet.js';

const suite = readSuite(readFileSync(new URL('../../../fixtures/aip-1/conformance.json', import.meta.url), 'utf8'));

describe('AIP-1 cases are judged by a fleet as by one machine', () => {
  test.each(suite.cases.filter(({ drift }) => drift === undefined))('$name', (each) => {
    expect(judgeCase(each, suite.at, judgedInFleet().judge)).toEqual(judgeCase(each, suite.at));
  });
});
