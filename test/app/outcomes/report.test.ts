import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { Failure } from '../../../src/app/failure.js';
import { recordOutcomes, reportOutcome, type OutcomeReport } from '../../../src/app/outcomes/report.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { scratch } from '../../kit/scratch.js';
import { AGENT, draft, refused, T0 } from '../../kit/state/drafts.js';

const HASH = draft().intent_hash!;
const OTHER_HASH = `sha256:${'0f'.repeat(32)}`;

function decided(): { state: SqliteState; token: string } {
  const state = openState(join(scratch(), 'state.db'), { random: randomBytes });
  onTestFinished(() => state.close());
  const token = state.transact((ledger) => {
    ledger.append(refused('AIP-E202', { intent_hash: OTHER_HASH }));
    const drawn = ledger.token();
    ledger.append(draft(), { sent: null, passport: null, token: drawn });
    return drawn;
  });
  return { state, token };
}

function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return 'done';
}

const ok = (token: string | null, more: Partial<OutcomeReport> = {}): OutcomeReport => ({
  ...{ intentHash: HASH, status: 'ok', token },
  ...more,
});

describe('an outcome', () => {
  test('with the token of the decision is final', () => {
    const { state, token } = decided();
    const answer = reportOutcome(state, ok(token, { exitCode: 0, durationMs: 15, detail: 'done' }), T0 + 1000);
    expect(answer).toEqual({
      ...{ of: 2, seq: 3, status: 'ok', claimed: false },
      ...{ released: false, not_released: null },
    });
    expect([...state.records({ type: 'outcome' })]).toMatchObject([
      {
        of: 2,
        status: 'ok',
        exit_code: 0,
        duration_ms: 15,
        result_hash: null,
        detail: 'done',
        claimed: false,
        agent_id: AGENT,
      },
    ]);
    expect(verifyChain(state.records({}))).toMatchObject({ ok: true, count: 3 });
    for (const again of [ok(token), ok(token, { status: 'error' }), ok(null)])
      expect(code(() => reportOutcome(state, again, T0))).toBe('EXISTS');
    expect(state.bounds().head.seq).toBe(3);
  });

  test('told again is answered as it was, and another word is refused', () => {
    const { state, token } = decided();
    const report = ok(token, { exitCode: 0, durationMs: 15, detail: 'token=abcdef123456' });
    const first = reportOutcome(state, report, T0);
    expect(reportOutcome(state, report, T0 + 90_000)).toEqual(first);
    const others: Partial<OutcomeReport>[] = [
      ...[{ status: 'error' as const }, { exitCode: 1 }, { durationMs: 16 }, { detail: null }, { token: null }],
      { resultHash: `sha256:${'0'.repeat(64)}` },
    ];
    for (const other of others) expect(code(() => reportOutcome(state, { ...report, ...other }, T0))).toBe('EXISTS');
    expect(code(() => reportOutcome(state, { ...report, token: '0'.repeat(32) }, T0))).toBe('FORBIDDEN');
    expect(state.bounds().head.seq).toBe(first.seq);
  });

  test('without it is a claim, of which few are kept, and the caller’s word still counts', () => {
    const { state, token } = decided();
    for (let i = 0; i < 4; i++) expect(reportOutcome(state, ok(null), T0).claimed).toBe(true);
    expect(code(() => reportOutcome(state, ok(null), T0))).toBe('EXISTS');
    expect(reportOutcome(state, ok(token, { status: 'error' }), T0)).toMatchObject({ claimed: false, status: 'error' });
  });

  test('unknown is recorded and leaves room for the final word, a few times', () => {
    const { state, token } = decided();
    const unknown = ok(token, { status: 'unknown', detail: 'the line broke' });
    expect(reportOutcome(state, unknown, T0)).toMatchObject({ of: 2, seq: 3, status: 'unknown', claimed: false });
    expect([...state.records({ type: 'outcome' })]).toMatchObject([{ of: 2, status: 'unknown', claimed: false }]);
    for (let i = 0; i < 3; i++) reportOutcome(state, i === 0 ? ok(null) : unknown, T0);
    for (const more of [unknown, ok(null), ok(null, { status: 'unknown' })])
      expect(code(() => reportOutcome(state, more, T0))).toBe('EXISTS');
    expect(state.conduct.outcomes(AGENT, null, T0 - 1)).toMatchObject({ ok: 0, error: 0 });
    expect(reportOutcome(state, ok(token), T0)).toMatchObject({ status: 'ok', claimed: false });
    expect(code(() => reportOutcome(state, unknown, T0))).toBe('EXISTS');
    expect(state.conduct.outcomes(AGENT, null, T0 - 1)).toMatchObject({ ok: 1, error: 0 });
  });

  test('is refused with the token of another decision, or for what was not accepted', () => {
    const { state, token } = decided();
    expect(code(() => reportOutcome(state, ok('0'.repeat(32)), T0))).toBe('FORBIDDEN');
    expect(code(() => reportOutcome(state, ok(token, { intentHash: OTHER_HASH }), T0))).toBe('NOT_FOUND');
    expect(code(() => reportOutcome(state, ok(null, { intentHash: `sha256:${'1'.repeat(64)}` }), T0))).toBe(
      'NOT_FOUND',
    );
    expect(state.bounds().head.seq).toBe(2);
  });

  test.each([
    { intentHash: 'abc' },
    { status: 'maybe' as never },
    { status: 'unknown' as const, release: true },
    { token: 'ABC' },
    { token: '' },
    { exitCode: 256 },
    { exitCode: 1.5 },
    { durationMs: -1 },
    { resultHash: 'sha256:1' },
    { detail: 'x'.repeat(1025) },
    { detail: '\ud800' },
  ])('is refused when it is not of the form: %j', (wrong) => {
    const { state, token } = decided();
    expect(code(() => reportOutcome(state, ok(token, wrong), T0))).toBe('USAGE');
  });

  test('changes neither trust nor tallies', () => {
    const { state, token } = decided();
    const before = [
      state.tally(AGENT),
      state.conduct.trust(AGENT, T0 + 2000),
      state.conduct.counts(AGENT, null).counts,
    ];
    reportOutcome(state, ok(token, { status: 'error', exitCode: 1 }), T0 + 1000);
    const after = [state.tally(AGENT), state.conduct.trust(AGENT, T0 + 2000), state.conduct.counts(AGENT, null).counts];
    expect(after).toEqual(before);
    expect(state.conduct.retrace(AGENT, T0 + 2000, () => undefined)).toEqual(before[1]);
  });
});

test('of several in one commit, what is wrong with one says nothing of the others', () => {
  const { state, token } = decided();
  const answers = state.transact((ledger) =>
    recordOutcomes(ledger, [ok('0'.repeat(32)), ok(token), ok(token, { status: 'error' })], T0),
  );
  expect(answers.map((answer) => (answer instanceof Failure ? answer.code : answer.status))).toEqual([
    'FORBIDDEN',
    'ok',
    'EXISTS',
  ]);
  expect([...state.records({ type: 'outcome' })]).toMatchObject([{ of: 2, status: 'ok' }]);
});
