/** When people are told: an alert is raised when a state begins and resolved when it ends. */
import { sha256Hex } from '../../protocol/hash.js';
import { formatTime } from '../../protocol/time.js';
import type { AlertEvent, AlertKind, Condition, OpenAlert } from '../ports/monitor.js';

/** Standing is the mesh's and the same everywhere; what a log says is that machine's. */
const EVERYWHERE: readonly AlertKind[] = ['revoked', 'suspended'];

/** What a receiver deduplicates by. Hashed, because a stranger's id may be of any length and hold anything. */
export function alertKey(kind: AlertKind, subject: string, verifier: string): string {
  const where = EVERYWHERE.includes(kind) ? '' : verifier;
  return `aip-${kind}-${sha256Hex(JSON.stringify([where, subject])).slice(0, 32)}`;
}

/** Alerts after one check: those that are open, and what is to be said. */
export interface Turn {
  readonly open: readonly OpenAlert[];
  readonly events: readonly AlertEvent[];
}

/** What one check looked at. `now` is in ms since the epoch, `verifier` this machine's public key. */
export interface AlertScope {
  readonly now: number;
  readonly verifier: string;
  /** False for subjects that this check did not look at: their alerts stay as they are. */
  readonly looked: (subject: string) => boolean;
  /** What is known of an alert's end; null when nothing is. */
  readonly ended: (alert: OpenAlert) => Condition['facts'] | null;
}

/** What is to be said now that these conditions hold and those were told before. */
export function turnOf(before: readonly OpenAlert[], conditions: readonly Condition[], moment: AlertScope): Turn {
  const { now, verifier, looked, ended } = moment;
  const known = new Map(before.map((alert) => [alert.key, alert]));
  const time = formatTime(now);
  const open = new Map<string, OpenAlert>();
  const events: AlertEvent[] = [];
  for (const condition of conditions) {
    const key = alertKey(condition.kind, condition.subject, verifier);
    const old = known.get(key);
    const alert = { ...condition, key, since: old?.since ?? time };
    open.set(key, alert);
    // Told again when it is worse or better: what then gets worse once more must be heard again.
    if (old?.severity !== condition.severity) events.push(eventOf(alert, 'raised', time, verifier));
  }
  for (const alert of before) {
    if (open.has(alert.key)) continue;
    if (!looked(alert.subject)) open.set(alert.key, alert);
    else events.push(eventOf({ ...alert, facts: ended(alert) ?? alert.facts }, 'resolved', time, verifier));
  }
  return { open: [...open.values()], events };
}

/** What targets are told of an alert. The same alert, event and time have the same id, so that a repetition can be told. */
export function eventOf(alert: OpenAlert, event: AlertEvent['event'], time: string, verifier: string): AlertEvent {
  const { key, kind, subject, severity, message, facts, since } = alert;
  const id = sha256Hex(JSON.stringify([key, event, severity, time])).slice(0, 32);
  return {
    id,
    event,
    key,
    kind,
    agent_id: subject,
    severity,
    message: event === 'resolved' ? RESOLVED[kind] : message,
    facts,
    since,
    time,
    verifier,
  };
}

const RESOLVED: Readonly<Record<AlertKind, string>> = {
  low_trust: 'Trust is back',
  high_failure_rate: 'The failure rate is back',
  rapid_failures: 'No more rapid failures',
  unusual_actions: 'No more unusual actions',
  revoked: 'Not revoked any more',
  suspended: 'Not suspended any more',
  not_revoked: 'It need not be revoked any more',
};
