/** The limits of a passport, judged again at the time of a decision by the verifier's own pipeline, as if nothing had happened before. */
import type { Json } from '../../protocol/json/values.js';
import { verifySignature } from '../../protocol/ed25519/verify.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Memory } from '../ports/state.js';
import { conclude, refusesBeforeHooks } from '../verification/conclude.js';
import { examine } from '../verification/examine.js';
import { prepare } from '../verification/intents.js';
import { NO_DEMANDS, type JudgingDeps } from '../verification/verifier.js';
import type { Sitting } from '../verification/sitting.js';
import type { Rejudge } from './report.js';

/** What was not, and will not be remembered. */
const NOTHING_BEFORE: Memory = {
  spentNonce: () => null,
  forgottenUntil: () => 0,
  read: (_, meter) => (meter.kind === 'count' ? { kind: 'count', used: 0, roomAt: null } : { kind: 'sum', spent: 0n }),
  spendNonce: () => undefined,
  recordUsage: () => undefined,
  approvalRequest: () => null,
  requestOf: () => null,
  pendingRequests: () => ({ agent: 0, all: 0 }),
  openRequest: () => undefined,
  spendRequest: () => undefined,
};
/** Freshness was the verifier's to judge then. */
const ALWAYS = 100 * 365 * 24 * 3_600_000;

/** `pins` are those whose word counts; `load` gives the check of schemas. */
export function rejudging(
  pins: (principal: string) => readonly PinnedKey[],
  load: JudgingDeps['loadSchemaCheck'],
): Rejudge {
  return async (intent, passport, at) => {
    const deps: JudgingDeps = {
      clock: () => at,
      loadSchemaCheck: load,
      hooks: () => null,
      approved: () => false,
      passport: (agentId) => (agentId === passport.agent.id ? { status: 'found', passport } : { status: 'unknown' }),
      pins,
    };
    const sitting: Sitting = {
      memory: NOTHING_BEFORE,
      standing: () => null,
      freshness: { mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'last-known' },
      spokenNames: () => [],
      addSpokenName: null,
      floors: () => [],
      raiseFloor: null,
      demands: NO_DEMANDS,
      token: () => null,
      trust: () => null,
      approved: () => false,
      answers: [],
      requester: null,
      geo: null,
      wallNow: at,
      now: at,
      dryRun: true,
      warnings: [],
    };
    const policy = { maxAgeMs: ALWAYS, maxSkewMs: ALWAYS, minTrust: null, unmeasured: 'warn' as const };
    const submission = { bytes: JSON.stringify(intent satisfies Json), source: null };
    const setting = { trusting: deps, policy, signatureHolds: verifySignature, now: at, startedAt: 0 };
    const claim = examine(submission, setting);
    const prepared = await prepare(deps, claim, (document) => refusesBeforeHooks(sitting, document));
    return ('decision' in prepared ? prepared : conclude(sitting, prepared).judgement).decision.error_code;
  };
}
