/** Misused approvals against the real verifier, and against verifiers that lack one rule each. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OpenThrowaway, Throwaway } from '../../../src/app/policy/cases.js';
import type { Ledger } from '../../../src/app/ports/state.js';
import { attackPassport, type RedteamReport } from '../../../src/app/redteam/report.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import type * as Approvals from '../../../src/verify/approvals/approvals.js';
import type { Approved, ApprovalPolicy } from '../../../src/verify/approvals/approving.js';
import { throwawayVerifiers } from '../../../src/workspace/verification.js';
import type { World } from '../../../src/workspace/world.js';

/** What the verifier does not look at. */
interface Lack {
  readonly problem?: RegExp;
  readonly denials?: true;
  readonly status?: true;
  readonly persons?: true;
  readonly most?: number;
}
const lacks = vi.hoisted(() => ({ now: null as unknown }));

vi.mock('../../../src/verify/approvals/approvals.js', async (original) => {
  const real = await original<typeof Approvals>();
  const judgeAnswers = (answered: Approvals.Answered, policy: ApprovalPolicy): Approved => {
    const lack = lacks.now as Lack | null;
    if (lack === null) return real.judgeAnswers(answered, policy);
    if (lack.status !== true && answered.request.status !== 'open') return { by: 0, problems: [] };
    const people: string[] = [];
    for (const answer of answered.answers) {
      const problem = real.problemOf(answer, answered, policy);
      if (problem !== null && lack.problem?.test(problem) !== true) continue;
      if (answer.document.decision === 'approve') people.push(answer.document.approver);
      else if (lack.denials !== true) return { by: 0, problems: [] };
    }
    const by = lack.persons === true ? people.length : new Set(people).size;
    return { by: by + (lack.most ?? 0), problems: [] };
  };
  return { ...real, judgeAnswers };
});

let open: OpenThrowaway;
beforeAll(async () => {
  const world = { random: (n: number) => new Uint8Array(randomBytes(n)), ticks: () => 0 } as unknown as World;
  open = await throwawayVerifiers({ world });
});
afterEach(() => void (lacks.now = null));

const OWN = 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29';
const key = (n: number): string => `ed25519:${String(n).padStart(2, '0').repeat(32)}`;
const ADA = { id: 'did:web:acme.com:people:ada', public_key: key(11) };
const BOB = { id: 'did:web:acme.com:people:bob', public_key: key(12) };
const CAT = { id: 'did:web:acme.com:people:cat', public_key: key(13) };
const passport = (rule: Json): JsonObject => ({
  ...{ version: 1, serial: 3, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1', public_key: OWN },
  actions: [
    {
      name: 'deploy',
      params: {
        ...{ type: 'object', required: ['service', 'env'], additionalProperties: false },
        properties: { service: { type: 'string' }, env: { type: 'string' } },
      },
    },
  ],
  ...{ denied_actions: [], constraints: { require_approval: rule } },
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
});
const TWO_OF = { approvers: [ADA, { ...ADA, public_key: key(14) }, BOB, CAT], count: 2, ttl: '10m' };

const attack = (rule: Json, runs = 150): Promise<RedteamReport> =>
  attackPassport(passport(rule), { seed: 1, runs, named: 'bot.json' }, open, () => Promise.resolve());
const throughIn = async (rule: Json, runs?: number): Promise<string[]> => {
  const { constraints } = await attack(rule, runs);
  return constraints.flatMap(({ examples }) => examples.map(({ kind }) => kind));
};

describe('the verifier as it is', () => {
  test.each<[string, Json]>([
    ['the principal approves', true],
    ['one of several', { approvers: [ADA, BOB] }],
    ['two of several, one of them with two keys', TWO_OF],
    ['two of several, for one environment', { ...TWO_OF, environments: ['production'] }],
    ['for some actions', { value: TWO_OF, actions: ['deploy'] }],
  ])('stops every misuse: %s', async (_, rule) => {
    const report = await attack(rule);
    expect(report.honest).toEqual([{ action: 'deploy', accepted: true, code: null }]);
    expect(report.constraints.flatMap(({ examples }) => examples)).toEqual([]);
    expect(report.through).toBe(0);
    const { attacks = 0, stopped = {} } =
      report.constraints.find(({ constraint }) => constraint === 'require_approval') ?? {};
    expect(attacks).toBeGreaterThanOrEqual(15);
    expect(Object.keys(stopped)).toEqual(['AIP-E209', 'AIP-E216']);
    // An approval stands behind every other attack: what stops these is what they are about.
    const by = Object.fromEntries(report.constraints.map((each) => [each.constraint, Object.keys(each.stopped)]));
    expect(by).toMatchObject({ signature: ['AIP-E101', 'AIP-E102', 'AIP-E105'], trust: ['AIP-E404'] });
    // A principal that is revoked cannot approve either.
    const principal = rule === true ? ['AIP-E209', 'AIP-E401', 'AIP-E402'] : ['AIP-E401', 'AIP-E402', 'AIP-E403'];
    expect(by['revocation']).toEqual([...principal, 'AIP-E405', 'AIP-E406']);
  });
  test('says of a passport whose approver is its own agent that nothing passes', async () => {
    const { honest, attacks } = await attack({ approvers: [{ id: 'owner', public_key: OWN }] });
    expect([honest, attacks]).toEqual([[{ action: 'deploy', accepted: false, code: 'AIP-E209' }], 0]);
  });
});

describe('a verifier is found that', () => {
  test.each<[string, Lack, string[]]>([
    ['takes one too few', { most: 1 }, ['one approver too few', 'one approver twice']],
    ['counts answers, not persons', { persons: true }, ['one approver twice', 'one approver with two keys']],
    ['counts strangers', { problem: /does not name/ }, ['an approver who is not named', 'the agent itself']],
    ['looks at no signature', { problem: /no key of this approver/ }, ["a stranger's key in the name of an approver"]],
    ['takes what is over', { problem: /it ended/ }, ['an approval that is over']],
    ['takes what lasts too long', { problem: /for longer/ }, ['an approval for longer than the passport allows']],
    ['does not look at the action', { problem: /another action/ }, ['an approval of another action']],
    ['does not look at the passport', { problem: /another passport/ }, ['an approval under another passport']],
    ['does not look at the verifier', { problem: /another verifier/ }, ['an approval for another verifier']],
    ['knows no revoked approver', { problem: /revoked/ }, ['an approver who is revoked']],
    [
      'overhears a denial',
      { denials: true, status: true },
      ['a denial among the approvals', 'a denial that is left out'],
    ],
  ])('%s', async (_, lack, kinds) => {
    lacks.now = lack;
    const found = await throughIn(TWO_OF);
    expect(found).toEqual(expect.arrayContaining(kinds));
  });
  test("counts the agent's own key", async () => {
    const rule = { approvers: [ADA, { id: 'owner', public_key: OWN }] };
    expect(await throughIn(rule)).toEqual([]);
    lacks.now = { problem: /own key/ };
    expect(await throughIn(rule)).toEqual(['the word of owner']);
  });
  test('takes the principal, where approvers are named', async () => {
    lacks.now = { problem: /does not name/ };
    expect(await throughIn({ approvers: [ADA] })).toContain('the principal, where approvers are named');
  });
  test('takes one too few, and a case says so', async () => {
    lacks.now = { most: 1 };
    const { constraints } = await attack(TWO_OF);
    const cases = constraints.flatMap(({ examples }) => examples.map((each) => each.case));
    expect(cases[0]).toMatchObject({ passport: 'bot.json', approved_by: [ADA.id], expect: 'AIP-E209' });
    // What a case cannot say has none.
    expect(cases).toContain(null);
  });
  test('takes an approval twice', async () => {
    const real = open;
    open = (word) => {
      const { deps, ...rest } = real(word);
      const spend: Ledger['spendRequest'] = () => undefined;
      const state: Throwaway['deps']['state'] = {
        transact: (work) => deps.state.transact((ledger) => work({ ...ledger, spendRequest: spend })),
        rehearse: (work) => deps.state.rehearse(work),
        look: (work) => deps.state.look(work),
        standingNow: (now) => deps.state.standingNow(now),
      };
      return { ...rest, deps: { ...deps, state } };
    };
    const found = await throughIn(TWO_OF, 100);
    open = real;
    expect(found).toEqual(['an approval that was used before']);
  });
});
