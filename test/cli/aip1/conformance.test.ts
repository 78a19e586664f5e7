import { expect, test } from 'vitest';
import { conformanceSuite } from '../../kit/conformance/suite.js';
import { household } from '../../kit/native/household.js';

interface Report {
  readonly ok: boolean;
  readonly total: number;
  readonly failed: number;
  readonly cases: readonly { readonly name: string; readonly shows: string; readonly passed: boolean }[];
}

test('aip conformance runs every case of the package and says so', async () => {
  const machine = household();
  const { code, value } = await machine.json<Report>('conformance');
  const suite = conformanceSuite();
  expect(code).toBe(0);
  expect(value).toMatchObject({ ok: true, total: suite.cases.length, failed: 0 });
  expect(value.cases.map(({ name, shows }) => ({ name, shows }))).toEqual(
    suite.cases.map(({ name, shows }) => ({ name, shows })),
  );
  const { out, err } = await machine.run('conformance');
  expect(out).toMatch(/AIP-E202\s+MONETARY_LIMIT\s+\d+ of \d+/);
  expect(err).toContain(`ok ${suite.cases.length} of ${suite.cases.length} cases`);
});
