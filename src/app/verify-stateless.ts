import { verifySignature } from '../protocol/ed25519/verify.js';
import { NO_STATE, type Facts, type Freshness } from '../verify/context.js';
import type { Warning } from '../verify/decision.js';
import { decide, judge, STANDING_UNKNOWN, type Judgement } from '../verify/judge.js';
import { examine, type Submission } from './examine.js';
import { prepareExamined, type JudgingDeps, type JudgingOptions, type Prepared } from './verify-intents.js';

const WARNINGS: readonly Warning[] = [
  { code: 'stateless', message: 'Replays, limits over time and revocations were not looked for: no state is kept.' },
];
const NEVER_ASKED: Freshness = { mesh: false, ageMs: null, maxAgeMs: 0, onStale: 'deny' };

/**
 * Judges one document from its bytes, the given passports and pins, and the clock alone: the same intent is accepted
 * again and again until it is too old. What needs a memory is skipped with that reason, and a passport whose limits need
 * one is refused; nothing is logged.
 */
export async function verifyStateless(
  deps: JudgingDeps,
  options: JudgingOptions,
  submission: Submission,
): Promise<Judgement> {
  const now = options.at ?? deps.clock();
  const [prepared] = await prepareExamined(deps, [examine(submission, deps, verifySignature, now, 0)]);
  return prepared !== undefined && 'claim' in prepared ? conclude(deps, options, prepared, now) : prepared!;
}

function conclude(deps: JudgingDeps, options: JudgingOptions, prepared: Prepared, now: number): Judgement {
  const { found, submission, claim, hooks, schemaProblems } = prepared;
  const { intent } = claim;
  const { source, within } = submission;
  if ('refused' in found) {
    const outcome = found.refused;
    return decide({ intent, outcome, revocation: STANDING_UNKNOWN, warnings: WARNINGS, now, source });
  }
  const { passport } = found.identity;
  const facts: Facts = {
    spent: undefined,
    read: unasked,
    schemaProblems,
    geo: options.geo,
    approved: deps.approved(intent),
    hooks,
    standing: unasked,
    freshness: NEVER_ASKED,
    trust: null,
    wallNow: now,
  };
  const limits = within === undefined ? [passport.constraints] : [passport.constraints, within];
  const { outcome, revocation } = judge(found.identity, {
    intent,
    passport,
    limits,
    policy: options.policy,
    facts,
    now,
  });
  return decide({ intent, outcome, revocation, warnings: WARNINGS, now, source });
}

function unasked(): never {
  throw new Error(NO_STATE);
}
