import { parseConstraints, type Constraints } from '../../../src/protocol/constraints/grammar.js';
import { holdsThing } from '../../../src/protocol/constraints/counted-names.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { membersOf } from '../../../src/verify/constraints/reading/members.js';
import type { Judged } from '../../../src/verify/constraints/judged.js';
import type { Approving } from '../../../src/verify/approvals/approving.js';
import type { Meter, MeterReading } from '../../../src/verify/meters.js';

export interface History {
  readonly action: string;
  readonly ago_s: number;
  readonly amount_minor?: number;
  readonly currency?: string;
}

export function constraintsOf(value: JsonObject): Constraints {
  const parsed = parseConstraints(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.constraints;
}

/** What the state answers, worked out from a list: the model that adapters are tested against in their own suite. */
export function readingOf(history: readonly History[], meter: Meter): MeterReading {
  const inside = history.filter(({ ago_s }) => ago_s * 1000 < meter.windowMs);
  if (meter.kind === 'sum') {
    const same = inside.filter(({ currency }) => currency === meter.currency);
    return { kind: 'sum', spent: same.reduce((sum, { amount_minor = 0 }) => sum + BigInt(amount_minor), 0n) };
  }
  const counted = inside.filter(
    ({ action }) =>
      (meter.actions === null || meter.actions.includes(action)) &&
      (meter.word === null || holdsThing(action, meter.word)),
  );
  const used = counted.length;
  const ages = counted.map(({ ago_s }) => ago_s).sort((a, b) => a - b);
  return {
    kind: 'count',
    used,
    roomAt: used < meter.limit ? null : NOW_OF_ROOM - ages[meter.limit - 1]! * 1000 + meter.windowMs,
  };
}

/** `roomAt` is relative to the `now` of the intent; vectors that look at it use this one. */
const NOW_OF_ROOM = Date.UTC(2026, 1, 18, 14, 23, 45);

const NOT_APPROVED: Approving = {
  exact: false,
  actionHash: `sha256:${'0'.repeat(64)}`,
  spent: null,
  judge: () => ({ by: 0, problems: [] }),
};
const APPROVED: Approving = { ...NOT_APPROVED, exact: true };

export function judgedBy(
  of: { readonly history?: readonly History[]; readonly params: JsonObject } & Partial<
    Omit<Judged, 'read' | 'approving'>
  > & { readonly approved?: boolean },
): Judged {
  return {
    agentId: 'did:web:acme.com:agents:support-agent-v1',
    action: of.action ?? 'act',
    params: of.params,
    members: membersOf(of.params),
    schema: of.schema ?? null,
    target: of.target ?? null,
    now: of.now ?? NOW_OF_ROOM,
    geo: of.geo ?? null,
    approving: () => (of.approved === true ? APPROVED : NOT_APPROVED),
    intentHash: 'sha256:00',
    read: (meter) => readingOf(of.history ?? [], meter),
  };
}
