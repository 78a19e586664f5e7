/** What the kill switch says to people. */
import type { HeldStanding } from '../../app/mesh/standing.js';
import type { Given } from '../../app/mesh/orders.js';
import type { Action } from '../../mesh/command.js';
import type { Paint } from './terminal/paint.js';
import { clean } from './terminal/text.js';

export interface OutcomeView {
  readonly given: Given;
  readonly action: Action;
  /** On this machine alone. */
  readonly local: boolean;
  readonly everyone: boolean;
}

const WORD = { active: 'ACTIVE', suspended: 'SUSPENDED', revoked: 'REVOKED' } as const;

function statusWord(status: keyof typeof WORD, paint: Paint): string {
  return status === 'active' ? paint.green(WORD[status]) : paint.red(paint.bold(WORD[status]));
}

export function renderOutcome({ given, local, everyone }: OutcomeView, paint: Paint): string {
  const { outcome, missing } = given;
  const who = everyone ? 'every agent' : clean(outcome.agent_id);
  const again = outcome.changed ? '' : ' (it was already)';
  const first = `${statusWord(outcome.status, paint)} ${paint.bold(who)}${again}`;
  if (local) return `${first}\n  on this machine alone: no other machine was told`;
  const log = `durable as event ${outcome.seq} of the mesh`;
  return `${first}\n  ${log}\n  ${reach(outcome, missing, paint)}`;
}

function reach({ propagated_to, connected, propagation_ms }: Given['outcome'], missing: number, paint: Paint): string {
  if (connected === 0) return 'no verifier listens now; each one learns it when it connects';
  const reporting = propagated_to + missing;
  const silent = connected - reporting;
  const more =
    silent > 0
      ? `; ${silent} more ${silent === 1 ? 'listens' : 'listen'} and ${silent === 1 ? 'does' : 'do'} not report`
      : '';
  if (reporting === 0)
    return `sent to ${connected}, ${connected === 1 ? 'which does' : 'none of which do'} not report back`;
  const took = propagation_ms === null ? '' : ` in ${paint.bold(`${propagation_ms} ms`)}`;
  const all =
    missing === 0
      ? `applied by ${propagated_to} of ${reporting}`
      : paint.yellow(`applied by ${propagated_to} of ${reporting}`);
  return `${all} ${reporting === 1 ? 'verifier' : 'verifiers'}${took}${more}`;
}

export function renderStanding(held: HeldStanding, paint: Paint): string {
  const who = held.agent_id === '*' ? 'every agent' : clean(held.agent_id);
  const rows: [string, string | null][] = [
    ['because of', held.denied_by === null || held.denied_by === held.agent_id ? null : nameOf(held.denied_by)],
    ['reason', held.reason],
    ['by', held.revoked_by],
    ['since', held.changed_at],
    ['until', held.suspended_until],
    ['known from', held.source === 'mesh' ? 'the mesh, now' : `this machine${ageOf(held.age_ms)}`],
  ];
  const lines = rows.flatMap(([label, value]) =>
    value === null ? [] : [`  ${paint.dim(label.padEnd(10))}  ${clean(value)}`],
  );
  return [`${statusWord(held.status, paint)} ${paint.bold(who)}`, ...lines].join('\n');
}

function nameOf(subject: string): string {
  return subject === '*' ? 'every agent is denied' : subject;
}

function ageOf(ms: number | null): string {
  return ms === null ? '' : `, proven current ${Math.round(ms / 1000)} s ago`;
}
