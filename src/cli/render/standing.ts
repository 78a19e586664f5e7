/** What the kill switch says to people. */
import type { HeldStanding } from '../../app/mesh/standing.js';
import type { AbsentVerifier, GivenOrder } from '../../app/mesh/orders.js';
import type { Action } from '../../mesh/command.js';
import type { Paint } from './terminal/paint.js';
import { provenText, spanText } from '../../protocol/time.js';
import { clean } from './terminal/text.js';

export interface OutcomeView {
  readonly given: GivenOrder;
  readonly action: Action;
  /** On this machine alone. */
  readonly local: boolean;
  readonly everyone: boolean;
  /** How long a suspension was to last, ms; null for other orders. */
  readonly durationMs: number | null;
  /** The subject as it was named: of a key, perhaps its id. */
  readonly named: string;
}

const WORD = { active: 'ACTIVE', suspended: 'SUSPENDED', revoked: 'REVOKED' } as const;

function statusWord(status: keyof typeof WORD, paint: Paint): string {
  return status === 'active' ? paint.green(WORD[status]) : paint.red(paint.bold(WORD[status]));
}

export function renderOutcome(
  { given, action, local, everyone, durationMs, named }: OutcomeView,
  paint: Paint,
): string {
  const { outcome } = given;
  const alias = everyone || named === outcome.agent_id ? '' : ` (${clean(named)})`;
  const who = everyone ? 'every agent' : `${clean(outcome.agent_id)}${alias}`;
  const again = outcome.changed ? '' : ' (it was already)';
  // One that stands is never shortened, so another may end later.
  const span = outcome.status === 'suspended' && durationMs !== null ? spanText(durationMs) : null;
  const long = span === null ? '' : outcome.changed ? ` for ${span}` : ` for at least ${span} more`;
  const first = `${statusWord(outcome.status, paint)} ${paint.bold(who)}${again}${long}`;
  if (local) return `${first}\n  on this machine alone: no other machine was told`;
  const log = `durable as event ${outcome.seq} of the mesh`;
  return `${first}\n  ${log}\n  ${renderReach(given, paint, action === 'reinstate')}`;
}

/** How far an event has come: `applied by 1 of 2 verifiers`, and who is absent. `lifts`: the event lets somebody act again. */
export function renderReach(
  {
    outcome,
    missing,
    roster,
    absent,
    absentTotal,
    late,
  }: Pick<GivenOrder, 'missing' | 'roster' | 'absent' | 'absentTotal' | 'late'> & {
    readonly outcome: Pick<GivenOrder['outcome'], 'propagated_to' | 'connected' | 'propagation_ms'>;
  },
  paint: Paint,
  lifts = false,
): string {
  const { propagated_to, connected, propagation_ms } = outcome;
  const silent = Math.max(0, connected - (roster - absentTotal));
  if (roster === 0) {
    return connected === 0
      ? 'no verifier listens now; each one learns it when it connects'
      : `sent to ${connected}, ${connected === 1 ? 'which does' : 'none of which do'} not report back`;
  }
  const took = propagation_ms === null || propagated_to === 0 ? '' : ` in ${paint.bold(`${propagation_ms} ms`)}`;
  const count = `applied by ${propagated_to} of ${roster}`;
  const more =
    silent > 0
      ? `; ${silent} more ${silent === 1 ? 'listens' : 'listen'} and ${silent === 1 ? 'does' : 'do'} not report`
      : '';
  const who = [
    ...late.slice(0, MAX_NAMED).map((label) => `; ${clean(label)} listens, and has not confirmed`),
    ...absent.slice(0, MAX_NAMED).map((one) => `; ${renderAbsent(one, lifts)}`),
  ];
  const unnamed = roster - propagated_to - who.length;
  const rest = unnamed > 0 ? `; and ${unnamed} more` : '';
  return `${missing === 0 ? count : paint.yellow(count)} ${roster === 1 ? 'verifier' : 'verifiers'}${took}${more}${who.join('')}${rest}`;
}

/** Most verifiers of a kind named in one sentence. */
const MAX_NAMED = 5;

/** `us-1 absent since 22:13 (denies when stale: refused since 22:14)`: what it means that this one did not hear. */
export function renderAbsent({ label, last_seen, on_stale, refuses_since }: AbsentVerifier, lifts = false): string {
  const means = lifts
    ? 'may go on refusing until it hears of it'
    : refuses_since !== null
      ? `denies when stale: refused since ${clockOf(refuses_since)}`
      : on_stale === null
        ? 'of an older version: may still accept'
        : 'last-known: may still accept';
  return `${clean(label)} absent since ${clockOf(last_seen)} (${means})`;
}

/** Hour and minute in UTC; with the day where it is not today's to guess. */
function clockOf(time: string): string {
  const today = new Date().toISOString().slice(0, 10);
  return time.startsWith(today) ? time.slice(11, 16) : `${time.slice(0, 10)} ${time.slice(11, 16)}`;
}

export function renderStanding(held: HeldStanding, paint: Paint): string {
  const who = held.agent_id === '*' ? 'every agent' : clean(held.agent_id);
  const ended = hasEnded(held);
  const [reason, by] = ended ? [null, null] : [held.reason, held.revoked_by];
  const rows: [string, string | null][] = [
    ['because of', held.denied_by === null || held.denied_by === held.agent_id ? null : nameOf(held.denied_by)],
    ['was', ended ? endedLine(held).replace(/^was /, '') : null],
    ['reason', reason],
    ['by', by],
    ['since', ended ? null : held.changed_at],
    ['until', ended ? null : held.suspended_until],
    ['known from', held.source === 'mesh' ? `the mesh, ${atServer(held.age_ms)}` : `this machine${ageOf(held.age_ms)}`],
  ];
  const lines = rows.flatMap(([label, value]) =>
    value === null ? [] : [`  ${paint.dim(label.padEnd(10))}  ${clean(value)}`],
  );
  return [`${statusWord(held.status, paint)} ${paint.bold(who)}`, ...lines].join('\n');
}

/** True where what is told is a suspension that is over. */
export function hasEnded({ status, suspended_until }: Pick<HeldStanding, 'status' | 'suspended_until'>): boolean {
  return status === 'active' && suspended_until !== null;
}

/** `was suspended until 2026-02-18T17:20:00Z by ops: looking into it`. */
export function endedLine({
  suspended_until,
  reason,
  revoked_by,
}: Pick<HeldStanding, 'suspended_until' | 'reason' | 'revoked_by'>): string {
  const by = revoked_by === null ? '' : ` by ${clean(revoked_by)}`;
  return `was suspended until ${suspended_until}${by}${reason === null ? '' : `: ${clean(reason)}`}`;
}

function nameOf(subject: string): string {
  return subject === '*' ? 'every agent is denied' : subject;
}

/** A region hears of home each two seconds: what is not much older is of now. */
const RECENT_MS = 6_000;

/** True of what a server says that has just heard of home, or is home. */
export function isOfNow(ageMs: number | null): boolean {
  return ageMs !== null && ageMs < RECENT_MS;
}

/** How old what a server of the mesh says is. */
export function atServer(ageMs: number | null): string {
  if (ageMs === null) return 'by a server that it has left behind, or that nothing has proven current';
  return isOfNow(ageMs) ? 'now' : `by a server that was last proven current ${spanText(ageMs)} ago`;
}

function ageOf(ms: number | null): string {
  return ms === null ? '' : `, whose copy of the mesh was ${provenText(ms)}`;
}
