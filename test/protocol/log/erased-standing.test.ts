/** Erasing values moves no score and no count: of a verifier's log, of the same computed anew, and of what was shipped. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eraseEntries, planErasure, type ErasureWish } from '../../../src/app/logs/erase.js';
import { fleetConduct } from '../../../src/app/conduct/fleet-conduct.js';
import type { EntryDraft, LogRecord } from '../../../src/protocol/log/entry.js';
import { leftBy } from '../../../src/mesh/log/erasures.js';
import { GUIDE_RULES } from '../../../src/trust/rules.js';
import { statePath } from '../../kit/state/temporary.js';
import { AGENT, draft, OTHER, refused, T0 } from '../../kit/state/drafts.js';
import { openState, type SqliteState } from '../../../src/adapters/sqlite/open.js';
import { ErasureCheck } from '../../../src/app/logs/erasures.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { hashHolds } from '../../../src/protocol/log/chain.js';

const NOW = T0 + 7_200_000;
const SEED = new Uint8Array(32).fill(7);
const KEY = {
  publicKey: formatPublicKey(publicKeyOf(SEED)),
  sign: (text: string) => toHex(signMessage(SEED, Buffer.from(text))),
};
const RULES = [GUIDE_RULES, { ...GUIDE_RULES, model: 'aip-1' as const }];

const marked = fc.constantFrom<(JsonObject | null)[]>(
  { agent_id: AGENT },
  { presented_before: true },
  { guessed: true },
  { unmeasured: true },
  { bound: 'caller' },
  { bound: 'passport' },
  { revoked_at: '2026-02-18T14:00:00.000Z' },
  { revoked_at: '2026-02-18T14:10:00.000Z' },
  null,
);
const history = fc.array(
  fc.record({
    agent_id: fc.constantFrom(AGENT, OTHER),
    code: fc.constantFrom(null, 'AIP-E202', 'AIP-E209', 'AIP-E210', 'AIP-E401', 'AIP-E301', 'HOOK_FAILED', 'FRAUD'),
    details: marked,
    param: fc.constantFrom('to', 'cc'),
    minutes: fc.integer({ min: 0, max: 100 }),
    observed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);
const wish: fc.Arbitrary<ErasureWish> = fc.oneof(
  fc.record({
    agentId: fc.constantFrom(AGENT, OTHER),
    param: fc.constantFrom('to', 'cc'),
    before: fc.constantFrom(null, T0 + 3_000_000),
  }),
  fc.record({ entry: fc.constant(1), param: fc.constant(null) }),
);

type Made = typeof history extends fc.Arbitrary<(infer Each)[]> ? Each : never;

function draftOf({ agent_id, code, details, param, minutes, observed }: Made): EntryDraft {
  const own = { at: T0 + minutes * 60_000, agent_id, params: { [param]: 'jane' } };
  return code === null ? draft(own) : refused(code, { ...own, details, ...(observed ? { observed: true } : {}) });
}

/** All that is counted of the log: as it is kept, computed anew, and by who holds a copy of it. */
async function standing(state: SqliteState, shipped: readonly LogRecord[]) {
  const here = [];
  for (const rules of RULES) {
    state.conduct.judgeBy(rules);
    for (const agent of [AGENT, OTHER]) {
      const [events, kept] = [[] as object[], state.conduct.trust(agent, NOW)];
      const anew = state.conduct.retrace(agent, NOW, (event) => events.push(event));
      here.push({ kept, anew, events });
      expect(anew).toEqual(kept);
    }
  }
  const tallies = state.derivedProblems(NOW).filter((problem) => problem.startsWith('the tallies'));
  expect(tallies).toEqual([]);
  return { here, exported: await counted([...state.records({})]), shipped: await counted(shipped) };
}

async function counted(records: readonly LogRecord[]): Promise<object[]> {
  const rows = records.map((record, i) => ({ row: i + 1, text: JSON.stringify(record) }));
  const read = ({ after = 0 }: { readonly after?: number }) => Promise.resolve(rows.slice(after) as never);
  const found = [];
  for (const rules of RULES)
    found.push(...(await fleetConduct({ logs: { read }, rules, pause: () => Promise.resolve() }).agents(NOW)));
  return found;
}

test('random histories with repeats: erasing anything changes no score and no count', { timeout: 60_000 }, async () => {
  const histories = fc.asyncProperty(history, fc.array(wish, { minLength: 1, maxLength: 3 }), async (made, wishes) => {
    const state = openState(statePath(), { random: randomBytes, clock: () => NOW });
    try {
      state.transact((ledger) => made.forEach((each) => ledger.append(draftOf(each))));
      let shipped: readonly LogRecord[] = [...state.records({})];
      const before = await standing(state, shipped);
      // Refusals that were only looked on at change nothing, for whoever counts.
      const others = shipped.filter((record) => record.type !== 'verification' || record.observed !== true);
      expect(before.shipped).toEqual(await counted(others));
      const problems = new ErasureCheck([publicKeyOf(SEED)]);
      for (const each of wishes) {
        await eraseEntries(state, planErasure(state, each), KEY, NOW, () => Promise.resolve());
        const order = {
          agentId: null,
          before: null,
          logId: null,
          seq: null,
          ...each,
          ...('entry' in each ? { seq: each.entry } : {}),
        };
        const decisions = new Set<string>();
        shipped = shipped.map((record) =>
          order.agentId === null || record.agent_id === order.agentId
            ? (leftBy(order, record, 'log', decisions) ?? record)
            : record,
        );
        expect(shipped.every(hashHolds)).toBe(true);
        expect(await standing(state, shipped)).toEqual(before);
      }
      for (const record of state.records({})) {
        expect(hashHolds(record)).toBe(true);
        problems.see(record);
      }
      expect(problems.problem()).toBeNull();
    } finally {
      state.close();
    }
  });
  await fc.assert(histories, { numRuns: 25 });
});
