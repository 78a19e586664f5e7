/** What every dialect owes to those who know it by its value alone. */
import { expect, test } from 'vitest';
import { DIALECT_NAMES } from '../../src/protocol/dialects.js';
import { DIALECTS, dialectOf } from '../../src/verify/dialects/registry.js';
import { unreadable } from '../../src/verify/judge.js';

test.each(DIALECT_NAMES)('%s has its own name, distinct steps, and a refusal for what it cannot read', (name) => {
  const dialect = DIALECTS[name];
  expect(dialect.name).toBe(name);
  expect(new Set(dialect.steps).size).toBe(dialect.steps.length);
  const { decision, concern } = unreadable(dialect, dialect.malformed('it is a test', 7), 0, 'here');
  expect(decision).toMatchObject({ success: false, dialect: name, agent_id: null, source: 'here' });
  expect(decision.details).toMatchObject({ reason: 'it is a test', offset: 7 });
  expect(decision.checks.map(({ check }) => check)).toEqual(dialect.steps);
  expect(decision.checks.filter(({ status }) => status === 'failed')).toHaveLength(1);
  expect(concern).toBe('who');
  const policy = { maxAgeMs: 172_800_000, maxSkewMs: 0, minTrust: null };
  expect(dialect.presentableForMs(policy)).toBeGreaterThanOrEqual(policy.maxAgeMs);
});

test('a document that no shape claims is native', () => {
  for (const document of [null, 'x', [1], { agent: 1 }] as const) expect(dialectOf(document).name).toBe('native');
  expect(dialectOf({ '@type': 'IntentEnvelope' }).name).toBe('aip-1');
});

test('a step that is left out is no yes', () => {
  const dialect = { name: 'native' as const, steps: ['one', 'two'] };
  const outcome = { reports: [{ check: 'one', status: 'passed' as const }], violations: [] };
  expect(() => unreadable(dialect, outcome, 0, null)).toThrow(/without all of its steps/);
});
