/**
 * Trust as a fold over log entries. Scores are whole billionths, so that adding up step by step, from a stored state, or from the
 * first entry on gives the same digits.
 */
import { refusalFact } from '../protocol/log/told.js';
import { rfcTrustScore, type TrustHistory } from '../protocol/aip1/trust-score.js';
import { ERASED_REVOKED_AT, isAttributable, isCounted } from '../protocol/log/attribution.js';
import type { Entry } from '../protocol/log/entry.js';
import { sha256Hex } from '../protocol/hash.js';
import type { SuspiciousPattern, TrustRules } from './rules.js';

const UNITS = 1e9;
const HOUR = 3_600_000;
/** Accepted actions remembered for each agent; the oldest makes room. */
const MOST_ACTIONS = 256;

/** What an entry has to say here. */
export type Observed = Pick<
  Entry,
  'seq' | 'action' | 'status' | 'error_code' | 'dialect' | 'details' | 'erased' | 'observed'
> & {
  /** ms since the epoch. */
  readonly at: number;
};

interface PatternState {
  /** The newest moments that count, in the order of the log, ms. */
  readonly times: number[];
  /** When the pattern was last complete, ms. */
  metAt: number | null;
}

/** An agent's past as far as scores need it. JSON, so that it can be kept beside the log. */
export interface TrustState {
  /** Billionths; of the guide's model. */
  score: number;
  /** Entries that the agent can be held to. */
  verifications: number;
  successful: number;
  /** Refusals for what it asked (E2xx and the like). */
  violations: number;
  revocations: number;
  /** Of the newest revocation seen, as its refusals tell it. */
  revokedAt: string | null;
  attestationChanges: number;
  /** The newest counted entry, ms. */
  lastAt: number | null;
  /** Digests of actions that were accepted before. */
  readonly actions: string[];
  /** In the order of the rules' patterns. */
  readonly patterns: PatternState[];
}

/** What moved a score. */
export interface TrustEvent {
  /** Null for decay up to now, which no entry ended. */
  readonly seq: number | null;
  /** ms since the epoch. */
  readonly at: number;
  readonly kind: 'success' | 'failure' | 'decay';
  readonly change: number;
  /** After the change. */
  readonly score: number;
  readonly action: string | null;
  readonly errorCode: string | null;
  /** Whole idle hours, of a decay. */
  readonly idleHours: number | null;
}

/** A score, and how much it is worth. */
export interface TrustReading {
  /** 0 to 1. */
  readonly score: number;
  readonly meaningful: boolean;
  readonly verifications: number;
  /** The newest entry that counted, ms; null when there was none. */
  readonly updatedAt: number | null;
  /** Patterns by when they were last complete. */
  readonly patterns: readonly (SuspiciousPattern & { readonly metAt: number | null })[];
  /** What RFC-001 weighs, but for the delegation that an envelope shows. */
  readonly history: Omit<TrustHistory, 'delegationDepth'>;
}

/** The state of an agent of which nothing is known. */
export function newcomer(rules: TrustRules): TrustState {
  return {
    score: units(rules.initialScore),
    verifications: 0,
    successful: 0,
    violations: 0,
    revocations: 0,
    revokedAt: null,
    attestationChanges: 0,
    lastAt: null,
    actions: [],
    patterns: rules.patterns.map(() => ({ times: [], metAt: null })),
  };
}

/** The state in JSON that was stored, or null when it is not one under these rules. */
export function parseTrustState(text: string, rules: TrustRules): TrustState | null {
  const state = parsed(text) as TrustState | null;
  const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const sound =
    typeof state === 'object' &&
    state !== null &&
    COUNTED.every((name) => whole(state[name])) &&
    state.score <= UNITS &&
    (state.revokedAt === null || typeof state.revokedAt === 'string') &&
    (state.lastAt === null || Number.isSafeInteger(state.lastAt)) &&
    Array.isArray(state.actions) &&
    state.actions.every((each) => typeof each === 'string') &&
    Array.isArray(state.patterns) &&
    state.patterns.length === rules.patterns.length &&
    state.patterns.every(
      (each) =>
        Array.isArray(each.times) &&
        each.times.every(Number.isSafeInteger) &&
        (each.metAt === null || Number.isSafeInteger(each.metAt)),
    );
  return sound ? state : null;
}

const COUNTED = ['score', 'verifications', 'successful', 'violations', 'revocations', 'attestationChanges'] as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Takes one entry into `state`, which it changes; `onEvent` hears what moved the score. */
export function observe(
  state: TrustState,
  entry: Observed,
  rules: TrustRules,
  onEvent?: (event: TrustEvent) => void,
): void {
  if (!isCounted(entry)) return;
  const before = rules.model === 'aip-1' && onEvent !== undefined ? units(weighted(state)) : 0;
  noteRevocation(state, entry);
  if (!isAttributable(entry)) {
    if (rules.model === 'aip-1') tell(entry, units(weighted(state)) - before, units(weighted(state)), onEvent);
    return;
  }
  decay(state, entry.at, rules, entry.seq, onEvent);
  state.lastAt = Math.max(state.lastAt ?? entry.at, entry.at);
  state.verifications += 1;
  const success = entry.status === 'success';
  const from = state.score;
  if (success) {
    state.successful += 1;
    state.score = Math.min(UNITS, state.score + units(rules.successIncrement));
  } else {
    state.score = Math.max(0, state.score - units(rules.failureDecrement));
    countRefusal(state, entry);
  }
  watch(state, entry, rules, success);
  const after = rules.model === 'guide' || onEvent === undefined ? state.score : units(weighted(state));
  tell(entry, after - (rules.model === 'guide' ? from : before), after, onEvent);
}

/** An event, where the score moved; `change` and `score` are billionths. */
function tell(entry: Observed, change: number, score: number, onEvent?: (event: TrustEvent) => void): void {
  if (change === 0) return;
  onEvent?.({
    seq: entry.seq,
    at: entry.at,
    kind: entry.status === 'success' ? 'success' : 'failure',
    change: change / UNITS,
    score: score / UNITS,
    action: entry.action,
    errorCode: entry.error_code,
    idleHours: null,
  });
}

/** The score as of `now`, idle hours up to then included. */
export function readTrust(
  state: TrustState,
  rules: TrustRules,
  now: number,
  onEvent?: (event: TrustEvent) => void,
): TrustReading {
  const present = { ...state };
  decay(present, now, rules, null, onEvent);
  return {
    score: rules.model === 'guide' ? present.score / UNITS : weighted(state),
    meaningful: state.verifications >= rules.minVerifications,
    verifications: state.verifications,
    updatedAt: state.lastAt,
    patterns: rules.patterns.map((pattern, i) => ({ ...pattern, metAt: state.patterns[i]!.metAt })),
    history: historyOf(state),
  };
}

/** Whole hours without activity. RFC-001's model has no decay. */
function decay(
  state: TrustState,
  now: number,
  rules: TrustRules,
  seq: number | null,
  onEvent?: (event: TrustEvent) => void,
): void {
  if (rules.model !== 'guide' || state.lastAt === null) return;
  const hours = Math.floor((now - state.lastAt) / HOUR);
  if (hours < 1) return;
  const from = state.score;
  state.score = Math.max(0, from - units(rules.timeDecayRate) * hours);
  if (state.score === from) return;
  onEvent?.({
    seq,
    at: now,
    kind: 'decay',
    change: (state.score - from) / UNITS,
    score: state.score / UNITS,
    action: null,
    errorCode: null,
    idleHours: hours,
  });
}

function weighted(state: TrustState): number {
  return rfcTrustScore({ ...historyOf(state), delegationDepth: 1 });
}

function historyOf({ verifications, successful, violations, revocations, attestationChanges }: TrustState) {
  return { total: verifications, successful, violations, revocations, attestationChanges };
}

/**
 * RFC-001 weighs that an agent was revoked. The operator's act is read from the refusals that name its time; the refusals themselves
 * count for nothing, as the time of a presentation is not the agent's.
 */
function noteRevocation(state: TrustState, { dialect, error_code, details, erased }: Observed): void {
  if (refusalFact(dialect, error_code) !== 'agent_revoked') return;
  // One revocation refuses any number of intents; they all name its time.
  const told = details?.['revoked_at'] ?? erased?.[ERASED_REVOKED_AT];
  const revokedAt = typeof told === 'string' ? told : 'unknown';
  if (revokedAt !== state.revokedAt) state.revocations += 1;
  state.revokedAt = revokedAt;
}

/** What RFC-001 weighs: asking for what is not allowed, and running as something else than attested. */
function countRefusal(state: TrustState, { dialect, error_code }: Observed): void {
  if (refusalFact(dialect, error_code) === 'attestation_changed') state.attestationChanges += 1;
  else state.violations += 1;
}

/**
 * An action is unusual when the agent was never accepted for it before: one that was taken over reaches for what it never did. While an agent
 * is new, everything it does is.
 */
function watch(state: TrustState, { action, at }: Observed, rules: TrustRules, success: boolean): void {
  const digest = action === null ? null : digestOf(action);
  const known = digest === null || state.actions.includes(digest);
  const unusual = !known && state.verifications > rules.minVerifications;
  rules.patterns.forEach(({ type, threshold, window_seconds }, i) => {
    if (type === 'rapid_failures' ? success : !unusual) return;
    const pattern = state.patterns[i]!;
    pattern.times.push(at);
    if (pattern.times.length > threshold) pattern.times.shift();
    if (pattern.times.length < threshold) return;
    const span = Math.max(...pattern.times) - Math.min(...pattern.times);
    if (span <= window_seconds * 1000) pattern.metAt = Math.max(pattern.metAt ?? at, at);
  });
  if (!success || known) return;
  state.actions.push(digest);
  if (state.actions.length > MOST_ACTIONS) state.actions.shift();
}

/** Most agents do few things, again and again. */
const digests = new Map<string, string>();

function digestOf(action: string): string {
  let digest = digests.get(action);
  if (digest === undefined) {
    if (digests.size >= MOST_ACTIONS) digests.clear();
    digests.set(action, (digest = sha256Hex(action).slice(0, 16)));
  }
  return digest;
}

function units(value: number): number {
  return Math.round(value * UNITS);
}
