/**
 * One check of `aip monitor`: what is wrong with whom, who is revoked for it, and what people are told. Reads kept tallies, so that it costs the
 * same however long the log is. Only what an agent can be held to counts: refusals that may be a stranger's doing are in neither number.
 */
import { principalOf, EVERYONE } from '../../mesh/subject.js';
import { statusAt, type Standing } from '../../mesh/standing.js';
import { formatTime } from '../../protocol/time.js';
import { percent, scoreBelow } from '../../trust/health.js';
import type { TrustReading } from '../../trust/score.js';
import { turnOf, type Turn } from './alerts.js';
import { Failure } from '../failure.js';
import type { Conduct } from '../ports/log.js';
import type { Condition, MonitorMemory, OpenAlert, TargetName } from '../ports/monitor.js';
import type { State } from '../ports/state.js';

/** When the monitor speaks up, and whether it may revoke. Trust is from 0 to 1, a failure rate from 0 to 1. */
export interface MonitorLimits {
  readonly minTrust: number;
  readonly maxFailureRate: number;
  readonly revokeUnder: number;
  readonly autoRevoke: boolean;
  readonly maxRevocationsPerHour: number;
  /** Over which refusals are counted, ms. */
  readonly windowMs: number;
}

/** What one check of the monitor needs. */
export interface MonitorDeps {
  readonly state: { readonly conduct: Conduct } & Pick<State, 'verifier' | 'passports'>;
  readonly standing: (subject: string) => Standing | null;
  /** The clock that suspensions end by, in ms since the epoch; `now`: by this machine's. */
  readonly standingNow: (now: number) => number;
  readonly memory: MonitorMemory;
  /** Revokes one agent; fails with a Failure when it is not in force. */
  readonly revoke: (agentId: string, reason: string) => Promise<void>;
  readonly targets: readonly TargetName[];
}

/** A pattern counts as over when it was not completed again for so long, ms. */
const PATTERN_OVER = 5 * 60_000;

/** What one check came to. */
export interface MonitorCheck extends Turn {
  /** Of the open alerts, those of whom this check looked at. */
  readonly mine: readonly OpenAlert[];
}

/** `agents`: only these; null for all that have a passport here or were held to something. */
export async function checkAgents(
  deps: MonitorDeps,
  limits: MonitorLimits,
  agents: readonly string[] | null,
  now: number,
): Promise<MonitorCheck> {
  const { state, memory, standing } = deps;
  const names = agents ?? [...new Set([...state.conduct.agents(), ...state.passports().map(({ agentId }) => agentId)])];
  const conditions: Condition[] = [];
  const above = new Set<string>([EVERYONE]);
  for (const agentId of [...names].sort()) {
    above.add(principalOf(agentId));
    const trust = state.conduct.trust(agentId, now);
    conditions.push(...conductOf(state.conduct, agentId, trust, limits, now));
    const needed = await revocationOf(deps, limits, agentId, trust, now);
    if (needed !== null) conditions.push(needed);
  }
  const subjects = new Set([...names, ...above]);
  for (const subject of subjects) {
    const found = standingCondition(standing(subject), deps.standingNow(now));
    if (found !== null) conditions.push(found);
  }
  const looked = (subject: string): boolean => agents === null || subjects.has(subject);
  const turn = memory.turn(deps.targets, (open) =>
    turnOf(open, conditions, {
      now,
      verifier: state.verifier,
      looked,
      ended: ({ kind, subject }) => {
        const after = kind === 'revoked' || kind === 'suspended' ? standing(subject) : null;
        return after === null ? null : factsOf(after);
      },
    }),
  );
  return { ...turn, mine: turn.open.filter(({ subject }) => looked(subject)) };
}

function conductOf(
  conduct: Conduct,
  agentId: string,
  trust: TrustReading,
  limits: MonitorLimits,
  now: number,
): Condition[] {
  const found: Condition[] = [];
  const { score, verifications } = trust;
  if (trust.meaningful && score < limits.minTrust) {
    const critical = score < limits.revokeUnder;
    found.push({
      kind: 'low_trust',
      subject: agentId,
      severity: critical ? 'critical' : 'warning',
      message: `Trust is ${scoreBelow(score)}, under ${critical ? limits.revokeUnder : limits.minTrust}`,
      facts: { score, verifications, limit: critical ? limits.revokeUnder : limits.minTrust },
    });
  }
  const { successful, failed } = conduct.counts(agentId, Math.max(0, now - limits.windowMs)).counts;
  const rate = failed / (successful + failed);
  if (rate > limits.maxFailureRate) {
    found.push({
      kind: 'high_failure_rate',
      subject: agentId,
      severity: 'warning',
      message: `${failed} of ${successful + failed} refused (${percent(rate)}), over ${percent(limits.maxFailureRate)}`,
      facts: { failed, successful, failure_rate: rate, limit: limits.maxFailureRate },
    });
  }
  for (const { type, threshold, window_seconds, metAt } of trust.patterns) {
    if (metAt === null || now - metAt >= Math.max(PATTERN_OVER, window_seconds * 1000)) continue;
    if (found.some(({ kind }) => kind === type)) continue;
    const what = type === 'rapid_failures' ? 'refusals' : 'actions it was never accepted for before';
    found.push({
      kind: type,
      subject: agentId,
      severity: 'warning',
      message: `${threshold} ${what} within ${window_seconds} s`,
      facts: { threshold, window_seconds, last_at: formatTime(metAt) },
    });
  }
  return found;
}

/** Revokes where that is asked for; what stays to be done by a person is a condition. */
async function revocationOf(
  { memory, standing, revoke }: MonitorDeps,
  { revokeUnder, autoRevoke, maxRevocationsPerHour }: MonitorLimits,
  agentId: string,
  { meaningful, score }: TrustReading,
  now: number,
): Promise<Condition | null> {
  if (!meaningful || score >= revokeUnder) {
    memory.recovered(agentId);
    return null;
  }
  if (!autoRevoke) return null;
  const denied = [agentId, principalOf(agentId), EVERYONE].some((one) => statusAt(standing(one), now) === 'revoked');
  if (denied) {
    // Who reinstates it decides for this fall of its score, also when it was a person who revoked it.
    memory.acted(agentId);
    return null;
  }
  const not = (message: string): Condition => ({
    kind: 'not_revoked',
    subject: agentId,
    severity: 'critical',
    message,
    facts: { score, limit: revokeUnder, max_revocations_per_hour: maxRevocationsPerHour },
  });
  const answer = memory.reserve(agentId, now, maxRevocationsPerHour);
  // A person let it back and knows why: what a person decided is not undone by a program.
  if (answer === 'acted') return null;
  if (answer === 'exhausted') {
    return not(
      `Not revoked: ${maxRevocationsPerHour} an hour may be without a person; a person must decide on this one`,
    );
  }
  try {
    await revoke(agentId, `Low trust score ${scoreBelow(score)}, under ${revokeUnder}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return not(`Not revoked, and will be tried again: ${error.code}`);
  }
  memory.acted(agentId);
  return null;
}

function standingCondition(standing: Standing | null, now: number): Condition | null {
  const status = statusAt(standing, now);
  if (standing === null || status === 'active') return null;
  const { subject } = standing;
  return {
    kind: status,
    subject,
    severity: status === 'suspended' ? 'warning' : standing.changedBy === MONITOR ? 'critical' : 'error',
    message:
      status === 'suspended' ? 'Suspended' : standing.changedBy === MONITOR ? 'Revoked by the monitor' : 'Revoked',
    facts: factsOf(standing),
  };
}

function factsOf({ reason, changedBy, changedAt, suspendedUntil }: Standing): Condition['facts'] {
  return {
    reason,
    by: changedBy,
    at: formatTime(changedAt),
    suspended_until: suspendedUntil === null ? null : formatTime(suspendedUntil),
  };
}

/** The name under which the monitor itself revokes. */
export const MONITOR = 'aip monitor';
