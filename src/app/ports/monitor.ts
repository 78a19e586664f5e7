/** What the monitor keeps between checks, and what it hands to those who tell people. */

/** How much an alert matters, in the words of PagerDuty. */
export type Severity = 'critical' | 'error' | 'warning';

/** What an alert is about. */
export type AlertKind =
  'low_trust' | 'high_failure_rate' | 'rapid_failures' | 'unusual_actions' | 'revoked' | 'suspended' | 'not_revoked';

/** Something is wrong with an agent, as of now. */
export interface Condition {
  readonly kind: AlertKind;
  /** An agent, a principal, or `*`. */
  readonly subject: string;
  readonly severity: Severity;
  /** In our words only: strings of strangers are in `subject` and `facts`. */
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** A condition that people were told of, and that has not ended. */
export interface OpenAlert extends Condition {
  /** Stable across restarts, and the same for the same trouble: what receivers deduplicate by. */
  readonly key: string;
  /** RFC 3339; when it was first seen. */
  readonly since: string;
}

/** What people are told. A line of `aip monitor --json`, and the body of a webhook. */
export interface AlertEvent {
  /** Of this event: the same whenever it is sent again. */
  readonly id: string;
  /** `raised` also when an alert gets worse; `open` is said by `--once` only, of what was raised before. */
  readonly event: 'raised' | 'resolved' | 'open';
  readonly key: string;
  readonly kind: AlertKind;
  readonly agent_id: string;
  readonly severity: Severity;
  readonly message: string;
  readonly facts: Condition['facts'];
  readonly since: string;
  /** RFC 3339. */
  readonly time: string;
  /** The machine whose log tells it. */
  readonly verifier: string;
}

/** Where alerts can be delivered. */
export type TargetName = 'slack' | 'pagerduty' | 'webhook';

/** An alert that waits for delivery. */
export interface Outgoing {
  readonly id: number;
  readonly event: AlertEvent;
}

/** Kept in the state file, so that a second monitor and the next one tell nothing twice and revoke no more than one may. */
export interface MonitorMemory {
  /** Replaces the open alerts by what `work` makes of them and queues its events for each target: all in one transaction. */
  turn<T extends { readonly open: readonly OpenAlert[]; readonly events: readonly AlertEvent[] }>(
    targets: readonly TargetName[],
    work: (open: readonly OpenAlert[]) => T,
  ): T;
  /** What a target has not been told, oldest first. */
  outgoing(target: TargetName): readonly Outgoing[];
  /** It was told, or never will be. */
  sent(id: number): void;
  /**
   * `granted`: one more may be revoked now, and counts. `acted`: it was revoked for this fall of its score already, and a person let it back.
   */
  reserve(agentId: string, now: number, mostPerHour: number): 'granted' | 'acted' | 'exhausted';
  /** It is revoked, by whomever. */
  acted(agentId: string): void;
  /** The score is back: the next fall is another one. */
  recovered(agentId: string): void;
}

/** An HTTP request to a target. Its URL and headers may be secret. */
export interface Notice {
  readonly url: string;
  readonly body: string;
  /** Made for each try, because a signature holds the time of it. */
  readonly headers: (now: number) => Readonly<Record<string, string>>;
}

/** What became of one delivery. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** It will not be accepted later either. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** All tries failed; it asked not to be tried again for `waitMs`. */
  | { readonly kind: 'failed'; readonly reason: string; readonly waitMs: number };
