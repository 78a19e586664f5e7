/** The limits of a passport, judged again at the time of a decision by the verifier's own pipeline, as if nothing had happened before. */
import { verifySignature } from '../../protocol/ed25519/verify.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Memory } from '../ports/state.js';
import { settleDocument, refusesBeforeHooks } from '../verification/settle.js';
import { examine } from '../verification/examine.js';
import { prepare } from '../verification/intents.js';
import { NO_DEMANDS, type JudgingDeps } from '../verification/verifier.js';
import type { Sitting } from '../verification/sitting.js';
import { approvedBy } from '../../verify/approvals/approved.js';
import type { ApprovalEvidence, Rejudge } from './report.js';
import { textOfSent } from './sent.js';

/** What was not, and will not be remembered; of approvals what the evidence shows. */
const remembering = ({ request }: ApprovalEvidence): Memory => ({
  nonceRecord: () => null,
  forgottenUntil: () => 0,
  read: (_, meter) => (meter.kind === 'count' ? { kind: 'count', used: 0, roomAt: null } : { kind: 'sum', spent: 0n }),
  spendNonce: () => undefined,
  recordUsage: () => undefined,
  approvalRequest: (id) => (request?.id === id ? request : null),
  requestOf: () => null,
  pendingRequests: () => ({ agent: 0, all: 0 }),
  openRequest: () => undefined,
  spendRequest: () => undefined,
});
const noWord = (): never => {
  throw new Error('a proof raises no request');
};
/** Freshness was the verifier's to judge then. */
const ALWAYS = 100 * 365 * 24 * 3_600_000;

/** `pins` are those whose word counts; `load` gives the check of schemas. */
export function rejudging(
  pins: (principal: string) => readonly PinnedKey[],
  load: JudgingDeps['loadSchemaCheck'],
): Rejudge {
  return async (sent, passport, at, evidence) => {
    const approved = approvedBy(evidence.exact, pins);
    const deps: JudgingDeps = {
      clock: () => at,
      loadSchemaCheck: load,
      hooks: () => null,
      approved,
      passport: (agentId) => (agentId === passport.agent.id ? { status: 'found', passport } : { status: 'unknown' }),
      pins,
    };
    const { verifier } = evidence;
    const sitting: Sitting = {
      memory: remembering(evidence),
      standing: () => null,
      freshness: { mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'last-known' },
      spokenNames: () => [],
      addSpokenName: null,
      floors: () => [],
      raiseFloor: null,
      demands: NO_DEMANDS,
      token: () => null,
      trust: () => null,
      approved,
      answers: evidence.answers,
      requester: verifier === null ? null : () => ({ publicKey: verifier, sign: noWord, random: noWord }),
      geo: null,
      wallNow: at,
      standingNow: at,
      now: at,
      dryRun: true,
      warnings: [],
    };
    const policy = { maxAgeMs: ALWAYS, maxSkewMs: ALWAYS, minTrust: null, unmeasured: 'warn' as const };
    const beside = evidence.request === null ? {} : { approvalRequest: evidence.request.id };
    const submission = { bytes: textOfSent(sent), source: null, ...beside };
    const setting = { trusting: deps, policy, signatureHolds: verifySignature, now: at, startedAt: 0 };
    const claim = examine(submission, setting);
    const prepared = await prepare(deps, claim, (document) => refusesBeforeHooks(sitting, document));
    return ('decision' in prepared ? prepared : settleDocument(sitting, prepared).judgement).decision.error_code;
  };
}
