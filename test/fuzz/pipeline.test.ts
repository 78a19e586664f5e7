import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemaProblems } from '../../src/adapters/json-schema.js';
import { verifyIntents, type VerifyOptions } from '../../src/app/verification/intents.js';
import { verifyChain } from '../../src/protocol/log/chain.js';
import { EXIT_OF_CONCERN } from '../../src/protocol/codes.js';
import { readPassport } from '../../src/protocol/passport.js';
import type { Json } from '../../src/protocol/json/values.js';
import type { Decision } from '../../src/verify/decision.js';
import { NATIVE_STEPS } from '../../src/verify/dialects/native/pipeline.js';
import { intent } from '../kit/native/intent-parts.js';
import { agent, NOW_S, PRINCIPAL, seedOf, type Signer } from '../kit/native/parts.js';
import { stored } from '../kit/native/standing.js';
import { fixtureBytes, timeOf } from '../kit/native/vectors.js';
import { VERIFY, verifierDeps } from '../kit/native/verifier.js';
import { openAt, statePath } from '../kit/state/temporary.js';

const NOW = timeOf({});
const OPERATOR = readPassport(fixtureBytes('passport-operator.json'));
const SUPPORT = readPassport(fixtureBytes('passport-support-agent.json'));

function verifier() {
  const path = statePath();
  const state = openAt(path, () => NOW);
  const deps = verifierDeps({
    state,
    clock: () => NOW,
    passport: (id) => {
      const passport = [OPERATOR, SUPPORT].find((each) => each.agent.id === id);
      return passport === undefined ? { status: 'unknown' } : { status: 'found', passport };
    },
    loadSchemaCheck: async () => schemaProblems,
  });
  const judge = (documents: readonly Uint8Array[], more: Partial<VerifyOptions> = {}) =>
    verifyIntents(
      deps,
      { ...VERIFY, ...more },
      documents.map((bytes) => ({ bytes, source: null })),
    );
  return { path, state, judge };
}

/** Whatever was judged, this is true of the answer. */
function expectSound(decision: Decision, concern: keyof typeof EXIT_OF_CONCERN | null): void {
  expect(decision.success).toBe(decision.error_code === null);
  expect(decision.success).toBe(decision.violations.length === 0);
  expect(decision.success).toBe(concern === null);
  expect(decision.checks.map(({ check }) => check)).toEqual(NATIVE_STEPS);
  const failed = decision.checks.filter(({ status }) => status === 'failed');
  expect(failed).toHaveLength(decision.success ? 0 : 1);
  for (const { status, reason } of decision.checks) if (status !== 'passed') expect(reason).toBeTruthy();
  const at = decision.checks.findIndex(({ status }) => status === 'failed');
  if (at >= 0) expect(decision.checks.slice(at + 1).every(({ status }) => status === 'skipped')).toBe(true);
  expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
  expect(decision.message.length).toBeLessThan(8000);
}

const anything = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const name = fc.oneof(
  fc.constantFrom('amount', 'currency', 'to', 'url', 'symbol', 'region', 'tags', 'desired_count', 'replicas'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'amount_minor', 'order_id', 'boxes', ''),
  fc.string({ maxLength: 8 }),
);
const value = fc.oneof(
  anything,
  fc.constantFrom<Json>(
    'a@acme.com',
    'a@evil.com',
    'https://acme.com@evil.com',
    'USD',
    'EUR',
    'ACME',
    0,
    -0,
    1e308,
    '1e3',
  ),
);
const params = fc.dictionary(name, value, { maxKeys: 5 });
const action = fc.oneof(
  fc.constantFrom(...[...OPERATOR.actions.keys(), ...SUPPORT.actions.keys(), ...OPERATOR.deniedActions]),
  fc.string({ minLength: 1, maxLength: 20 }),
);
const signer = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Signer>('agent') },
  { weight: 1, arbitrary: fc.constant<Signer>('stranger') },
);
const timestamp = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: NOW_S - 300, max: NOW_S + 30 }) },
  { weight: 1, arbitrary: fc.nat({ max: Number.MAX_SAFE_INTEGER }) },
);
const nonce = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 130 }) },
);
const wellFormed = fc.record({
  agent_id: fc.constantFrom(agent('operator'), agent('support-agent-v1'), agent('nobody')),
  action,
  params,
  timestamp,
  nonce,
  signer,
});

describe('the pipeline', () => {
  test('gives every well-formed intent a sound answer, and a yes only to one that its agent signed and its passport declares', async () => {
    const { judge, state, path } = verifier();
    let yes = 0;
    await fc.assert(
      fc.asyncProperty(wellFormed, async ({ signer: by, ...members }) => {
        const document = intent('fuzz', members, by);
        const [{ decision, concern } = expect.unreachable()] = await judge([Buffer.from(JSON.stringify(document))]);
        expectSound(decision, concern);
        if (decision.error_code === 'AIP-E100') {
          // Other readers of JSON would read such an integer differently.
          expect(JSON.stringify(members.params)).toMatch(/(?<![.\d])\d{16,}/);
          return;
        }
        if (by === 'stranger') expect(['AIP-E101', 'AIP-E102']).toContain(decision.error_code);
        if (!decision.success) return;
        yes++;
        const passport = members.agent_id === agent('operator') ? OPERATOR : SUPPORT;
        expect(passport.actions.has(members.action)).toBe(true);
        expect(passport.deniedActions.has(members.action)).toBe(false);
        // The same once more is a replay.
        const [again] = await judge([Buffer.from(JSON.stringify(document))]);
        expect(again!.decision.error_code).toBe('AIP-E301');
      }),
      { numRuns: 800 },
    );
    expect(yes).toBeGreaterThan(20);
    expect(stored(path).usages).toBeLessThanOrEqual(yes);
    expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: true });
    const log = JSON.stringify([...state.entries({})]);
    for (const by of ['agent', 'stranger'] as const) expect(log).not.toContain(Buffer.from(seedOf(by)).toString('hex'));
    expect(log).toContain(PRINCIPAL);
  });

  test('stores nothing of what is no intent', async () => {
    const { judge, path } = verifier();
    const document = intent('fuzz', { agent_id: agent('operator'), action: 'publish' });
    const whole = Buffer.from(JSON.stringify(document));
    const rubbish = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.nat({ max: whole.length - 1 }).map((end) => whole.subarray(0, end)),
      fc
        .tuple(fc.constantFrom(...Object.keys(document)), anything)
        .map(([member, other]) => ({ ...document, [`${member}x`]: other }))
        .map((each) => Buffer.from(JSON.stringify(each))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(rubbish, { minLength: 1, maxLength: 5 }), async (documents) => {
        for (const { decision, concern } of await judge(documents)) {
          expectSound(decision, concern);
          expect(decision.error_code).toBe('AIP-E100');
          expect(decision.agent_id).toBeNull();
        }
      }),
      { numRuns: 800 },
    );
    expect(stored(path)).toMatchObject({ entries: 0, nonces: 0, usages: 0 });
  });

  test('answers in a batch as it does one by one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wellFormed, { minLength: 1, maxLength: 12 }), async (all) => {
        const documents = all.map(({ signer: by, ...members }) =>
          Buffer.from(JSON.stringify(intent('fuzz', members, by))),
        );
        // The token of an outcome is random, by intention.
        const plain = ({ decision }: { decision: Decision }): Decision => ({ ...decision, outcome_token: null });
        const batch = (await verifier().judge(documents, { parallel: true })).map(plain);
        const alone = verifier();
        const single: Decision[] = [];
        for (const each of documents) single.push(plain((await alone.judge([each]))[0]!));
        expect(batch).toEqual(single);
      }),
      { numRuns: 60 },
    );
  });

  test('never passes a limit, in whatever order intents come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 3, maxLength: 25 }), async (amounts) => {
        const { judge } = verifier();
        const documents = amounts.map((amount, i) =>
          Buffer.from(
            JSON.stringify(intent(`pay ${i}`, { agent_id: agent('operator'), action: 'pay', params: { amount } })),
          ),
        );
        const decisions = (await judge(documents)).map(({ decision }) => decision.success);
        // A model of a daily limit of 250: first come, first served.
        let spent = 0;
        const expected = amounts.map((amount) => (spent + amount <= 250 ? ((spent += amount), true) : false));
        expect(decisions).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});
