import { formatTime } from '../../protocol/time.js';
import type { TrustRules } from '../../trust/rules.js';
import type { TrustEvent, TrustReading } from '../../trust/score.js';
import type { Conduct } from '../ports/log.js';

/** An agent's trust score and what it is made of, as `aip trust <agent> --json` prints it. */
export interface TrustReport {
  readonly agent_id: string;
  /** 0 to 1. */
  readonly score: number;
  readonly model: TrustRules['model'];
  /** False before `minVerificationsForTrust` verifications: act on no score until then. */
  readonly meaningful: boolean;
  /** Entries that the agent can be held to. */
  readonly verifications: number;
  /** RFC 3339; the newest entry that counted, null when there was none. */
  readonly updated_at: string | null;
}

/** Something that moved the score. Absent facts are null. */
export interface TrustStep {
  readonly seq: number | null;
  readonly timestamp: string;
  readonly kind: TrustEvent['kind'];
  readonly change: number;
  readonly score: number;
  readonly action: string | null;
  readonly error_code: string | null;
  readonly idle_hours: number | null;
}

/** The score of one agent under this model at `now` (ms since the epoch), as it is shown; one that is not known has no score. */
export function trustReport(conduct: Conduct, agentId: string, model: TrustRules['model'], now: number): TrustReport {
  return reportOf(agentId, model, conduct.trust(agentId, now));
}

/** The score computed anew from the log, with every step; `kept` is the score as it is kept beside the log. */
export function explainTrust(
  conduct: Conduct,
  agentId: string,
  model: TrustRules['model'],
  now: number,
): { readonly report: TrustReport; readonly events: readonly TrustStep[]; readonly kept: number } {
  const events: TrustStep[] = [];
  return conduct.atOneMoment(() => {
    const reading = conduct.retrace(agentId, now, (event) => events.push(stepOf(event)));
    return { report: reportOf(agentId, model, reading), events, kept: conduct.trust(agentId, now).score };
  });
}

function reportOf(agentId: string, model: TrustRules['model'], reading: TrustReading): TrustReport {
  return {
    agent_id: agentId,
    score: reading.score,
    model,
    meaningful: reading.meaningful,
    verifications: reading.verifications,
    updated_at: reading.updatedAt === null ? null : formatTime(reading.updatedAt),
  };
}

function stepOf({ seq, at, kind, change, score, action, errorCode, idleHours }: TrustEvent): TrustStep {
  return {
    seq,
    timestamp: formatTime(at),
    kind,
    change,
    score,
    action,
    error_code: errorCode,
    idle_hours: idleHours,
  };
}
