import { verifySignature } from '../../protocol/ed25519/verify.js';
import { judgeEnvelope } from '../../verify/aip1/judge.js';
import { NO_STATE, type Facts, type Freshness, type Policy } from '../../verify/context.js';
import type { Warning } from '../../verify/decision.js';
import { decide, judge, STANDING_UNKNOWN, type Judgement } from '../../verify/judge.js';
import { examine, type Submission } from './examine.js';
import type { ProvenEnvelope } from './envelope.js';
import { prepare, type JudgingDeps, type JudgingOptions, type PreparedDocument, type ProvenIntent } from './intents.js';

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
  const { policy } = options;
  const setting = { trusting: deps, policy, signatureHolds: verifySignature, now, startedAt: 0 };
  const refusedEarly = (document: PreparedDocument) => refusesBeforeHooks(conclude(deps, options, document, now));
  const prepared = prepare(deps, examine(submission, setting), refusedEarly);
  return prepared instanceof Promise
    ? prepared.then((document) => conclude(deps, options, document, now))
    : conclude(deps, options, prepared, now);
}

function conclude(
  deps: JudgingDeps,
  { policy, geo }: JudgingOptions,
  prepared: PreparedDocument | Judgement,
  now: number,
): Judgement {
  if ('decision' in prepared) return prepared;
  const intent = prepared.dialect === 'native' ? prepared.claim.intent : prepared.intent;
  const { hooks, schemaProblems, submission } = prepared;
  const facts: Facts = {
    spent: undefined,
    read: unasked,
    schemaProblems,
    geo,
    approved: deps.approved(intent) || submission.approved?.(intent) === true,
    hooks,
    standing: unasked,
    freshness: NEVER_ASKED,
    trust: null,
    wallNow: now,
  };
  return prepared.dialect === 'native' ? judgeIntent(prepared, policy, facts, now) : judgeAip1(prepared, facts);
}

function judgeIntent({ found, submission, claim }: ProvenIntent, policy: Policy, facts: Facts, now: number): Judgement {
  const { intent } = claim;
  const { source, within } = submission;
  if ('refused' in found) {
    const outcome = found.refused;
    return decide({ intent, outcome, revocation: STANDING_UNKNOWN, warnings: WARNINGS, now, source });
  }
  const { passport } = found.identity;
  const limits = within === undefined ? [passport.constraints] : [passport.constraints, within];
  const { outcome, revocation } = judge(found.identity, { intent, passport, limits, policy, facts, now });
  return decide({ intent, outcome, revocation, warnings: WARNINGS, now, source });
}

function judgeAip1({ proof, submission }: ProvenEnvelope, facts: Facts): Judgement {
  const { decision, concern } = judgeEnvelope(proof, { ...facts, history: null }, submission.source);
  return { decision: { ...decision, warnings: [...decision.warnings, ...WARNINGS] }, concern };
}

function refusesBeforeHooks({ decision: { checks } }: Judgement): boolean {
  const first = checks.find(({ check, status }) => check === 'hooks' || status === 'failed');
  return first !== undefined && first.check !== 'hooks';
}

function unasked(): never {
  throw new Error(NO_STATE);
}
