import { formatSeconds } from '../../protocol/time.js';
import { healthReport, type HealthReport } from '../../trust/health.js';
import type { Conduct } from '../ports/log.js';
import type { State } from '../ports/state.js';

/** How long an accepted intent may be without an outcome before it counts as unknown, in ms, unless `log.outcome_ttl` says otherwise. */
const DEFAULT_OUTCOME_TTL_MS = 3_600_000;

/** The guide's report on one agent; `since` in ms, null for all that was ever counted. */
export function agentHealth(
  conduct: Conduct,
  agentId: string,
  since: number | null,
  now: number,
  outcomeTtlMs = DEFAULT_OUTCOME_TTL_MS,
): HealthReport {
  return conduct.atOneMoment(() => {
    const found = conduct.counts(agentId, since);
    return healthReport({
      agentId,
      since: found.since === null ? null : formatSeconds(found.since),
      sinceMs: found.since ?? 0,
      counts: found.counts,
      trust: conduct.trust(agentId, now),
      recentFailures: conduct.recentFailures(agentId, found.since),
      outcomes: conduct.outcomes(agentId, found.since, now - outcomeTtlMs),
    });
  });
}

/**
 * A report on every agent that has a passport here or was held to something. Ids that occur only in refusals that may be a stranger's doing are
 * left out: anyone can make them up.
 */
export function fleetHealth(
  state: { readonly conduct: Conduct } & Pick<State, 'passports'>,
  since: number | null,
  now: number,
  outcomeTtlMs?: number,
): HealthReport[] {
  const agents = new Set([...state.conduct.agents(), ...state.passports().map(({ agentId }) => agentId)]);
  return [...agents].sort().map((agentId) => agentHealth(state.conduct, agentId, since, now, outcomeTtlMs));
}
