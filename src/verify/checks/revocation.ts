import { formatTime, provenText, spanText } from '../../protocol/time.js';
import { MESH_KEY_REFUSED } from '../../protocol/codes.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { EVERYONE } from '../../protocol/identity/subject.js';
import { deniedKeys, deniedNow, type BelievedKey } from '../believed-keys.js';
import { NO_STATE, type Facts, type Freshness, type Held, type StandingRecord } from '../context.js';
import {
  skipped,
  verdictOf,
  violation,
  type RevocationReport,
  type Verdict,
  type Violation,
  type Warning,
} from '../decision.js';

/**
 * Neither the agent, nor the principal that answers for it, nor everyone, nor a key whose signature was believed is revoked or
 * suspended, as known now; all who are, are named.
 */
export function revocation(
  { intent, facts }: Pick<Held, 'intent' | 'facts'>,
  principal: string,
  believed: readonly BelievedKey[],
): Verdict {
  if (facts.memory === null) return skipped(NO_STATE);
  return verdictOf(standingViolations(facts, intent.document.agent_id, principal, believed));
}

/** What denies an agent as known now: itself, those above it, and keys whose signature was believed. */
export function standingViolations(
  facts: Pick<Facts, 'standing' | 'freshness' | 'standingNow'>,
  agent_id: string,
  principal: string,
  believed: readonly BelievedKey[],
): Violation[] {
  const violations: Violation[] = [];
  const agent = deniedNow(facts, agent_id);
  if (agent?.status === 'revoked') {
    violations.push(
      violation('AGENT_REVOKED', `${agent_id} is revoked: ${agent.reason ?? 'no reason given'}.`, {
        ...facts4xx(agent),
        agent_id,
      }),
    );
  }
  if (agent?.status === 'suspended') {
    const until = agent.suspendedUntil === null ? 'further notice' : formatTime(agent.suspendedUntil);
    violations.push(
      violation('AGENT_SUSPENDED', `${agent_id} is suspended until ${until}.`, {
        ...facts4xx(agent),
        suspended_until: agent.suspendedUntil === null ? null : until,
        agent_id,
      }),
    );
  }
  // Where an agent is asked about by itself, it answers for itself.
  const above = (principal === agent_id ? null : deniedNow(facts, principal)) ?? deniedNow(facts, EVERYONE);
  if (above !== null) {
    const who = above.subject === EVERYONE ? 'Every agent of this mesh' : `The principal ${principal}`;
    const message = `${who} is ${above.status}: ${above.reason ?? 'no reason given'}.`;
    violations.push(violation('PRINCIPAL_REVOKED', message, { principal, ...facts4xx(above), agent_id }));
  }
  violations.push(...deniedKeys(facts, believed, agent_id));
  const { freshness } = facts;
  // A known deny denies however old the copy is; E405 is for what the copy cannot say.
  if (violations.length === 0 && isStale(freshness) && freshness.onStale === 'deny') {
    const { ageMs, maxAgeMs, unmissed = false, keyRefused = false } = freshness;
    const message = keyRefused
      ? 'The mesh refuses the API key of this machine, and was not heard since: what is known here may be old.'
      : unmissed
        ? 'The mesh does not count this machine among those that listen, and was not heard now: what is known here may be old.'
        : `The copy of the mesh on this machine was ${provenText(ageMs)}; at most ${spanText(maxAgeMs)} is allowed.`;
    const reason: JsonObject = keyRefused ? { reason: MESH_KEY_REFUSED } : {};
    violations.push(
      violation('REVOCATION_STALE', message, { ...reason, age_ms: ageMs, max_age_ms: maxAgeMs, agent_id }),
    );
  }
  return violations;
}

/** What is said of a standing that was not asked for, or of a document without an agent to ask about. */
export const STANDING_UNKNOWN: RevocationReport = { status: 'unknown', age_ms: null, degraded: false };

/** What the decision says of the agent's standing, whichever step it ended at. */
export function revocationReport(facts: Facts, agentId: string, principal: string): RevocationReport {
  if (facts.memory === null) return STANDING_UNKNOWN;
  const record = deniedNow(facts, agentId) ?? deniedNow(facts, principal) ?? deniedNow(facts, EVERYONE);
  const { freshness } = facts;
  const age_ms = freshness.mesh ? freshness.ageMs : null;
  // Without a copy whose age is known, to know of no deny is not to know that there is none.
  const unheard = freshness.mesh && freshness.ageMs === null ? 'unknown' : 'active';
  return { status: record?.status ?? unheard, age_ms, degraded: isStale(freshness) };
}

/** Said of every decision whose report is degraded, also of the refusal that follows from it. */
export function degradedWarnings({ degraded, age_ms }: RevocationReport): Warning[] {
  if (!degraded) return [];
  const message =
    age_ms === null
      ? 'The copy of the mesh on this machine is not proven current: an agent may be revoked and not known to be.'
      : `The copy of the mesh on this machine was ${provenText(age_ms)}, which is too long: the standing shown is the last one known.`;
  return [{ code: 'revocation_degraded', message }];
}

function isStale(freshness: Freshness): boolean {
  return freshness.mesh && (freshness.ageMs === null || !(freshness.ageMs <= freshness.maxAgeMs));
}

function facts4xx(record: StandingRecord) {
  return { reason: record.reason, revoked_at: formatTime(record.changedAt), revoked_by: record.changedBy };
}
