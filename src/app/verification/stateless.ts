import { verifySignature } from '../../protocol/ed25519/verify.js';
import { NO_STATE, type Freshness } from '../../verify/context.js';
import type { Warning } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import { settleDocument, refusesBeforeHooks } from './settle.js';
import { examine, type Submission } from './examine.js';
import { prepare } from './intents.js';
import { NO_DEMANDS, type JudgingDeps, type JudgingOptions } from './verifier.js';
import type { PreparedDocument, Sitting } from './sitting.js';

const WARNINGS: readonly Warning[] = [
  { code: 'stateless', message: 'Replays, limits over time and revocations were not looked for: no state is kept.' },
];
const NEVER_ASKED: Freshness = { mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'deny' };

/**
 * Judges one document from its bytes, the given passports and pins, and the clock alone: the same intent is accepted
 * again and again until it is too old. What needs a memory is skipped with that reason, and a passport whose limits need
 * one is refused; nothing is logged.
 */
export function verifyStateless(
  deps: JudgingDeps,
  options: JudgingOptions,
  submission: Submission,
): Judgement | Promise<Judgement> {
  const now = options.at ?? deps.clock();
  const { policy, geo } = options;
  const setting = { trusting: deps, policy, signatureHolds: verifySignature, now, startedAt: 0 };
  const sitting: Sitting = {
    memory: null,
    standing: unasked,
    freshness: NEVER_ASKED,
    spokenNames: () => [],
    addSpokenName: null,
    floors: () => [],
    raiseFloor: null,
    token: () => null,
    demands: deps.demands ?? NO_DEMANDS,
    trust: () => null,
    approved: deps.approved,
    answers: [],
    requester: null,
    geo,
    wallNow: now,
    standingNow: now,
    now,
    dryRun: false,
    warnings: WARNINGS,
  };
  const judged = (prepared: PreparedDocument | Judgement): Judgement =>
    'decision' in prepared ? prepared : settleDocument(sitting, prepared).judgement;
  const prepared = prepare(deps, examine(submission, setting), (document) => refusesBeforeHooks(sitting, document));
  return prepared instanceof Promise ? prepared.then(judged) : judged(prepared);
}

function unasked(): never {
  throw new Error(NO_STATE);
}
