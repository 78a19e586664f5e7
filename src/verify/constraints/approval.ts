import { foldedText } from '../../protocol/constraints/folded.js';
import { formatMinor } from '../../protocol/constraints/money.js';
import type { ApprovalRule, InCurrency, MoneySource } from '../../protocol/constraints/rules.js';
import type { Json } from '../../protocol/json/values.js';
import { visibleText } from '../../protocol/naming/hidden.js';
import { endsWith, nameOf, thingNamed, type Name } from '../../protocol/naming/names.js';
import { ENVIRONMENT_WORDS } from '../../protocol/naming/vocabulary.js';
import { formatTime } from '../../protocol/time.js';
import type { ApprovalPolicy, Approving } from '../approvals/approving.js';
import type { Held } from '../context.js';
import { violation, type Violation } from '../decision.js';
import { declaredIn } from './reading/declared.js';
import { readsMoney } from './reading/reads.js';
import { amountsIn, isCertain, largestOf } from './reading/amount.js';
import { otherCurrency } from './reading/currency.js';
import { HOLDS, type ConstraintCheck, type Judged } from './judged.js';

/** A person has approved exactly this intent, where the passport asks for it. Any one trigger is enough. */
export const approval: ConstraintCheck<'approval'> = (rule, judged) => {
  const reason = reasonFor(rule, judged);
  if (reason === null) return HOLDS;
  const missing = approvalMissing(rule, judged.approving(), judged);
  if (missing === null) return HOLDS;
  return [
    missing(
      typeof reason === 'string' ? reason : UNREADABLE,
      `A person has to approve this: ${typeof reason === 'string' ? reason : reason.because}.`,
    ),
  ];
};

/** Details' word for what could be anything to the one who carries it out. */
const UNREADABLE = 'unreadable';

/**
 * Gives the refusal for want of approvals, with a reason and a sentence; null when there are enough. Which request people answer is added where
 * requests are kept.
 */
export function approvalMissing(
  policy: ApprovalPolicy,
  approving: Approving,
  { intentHash, agentId }: Pick<Judged, 'intentHash' | 'agentId'>,
): ((reason: string, message: string) => Violation) | null {
  // The first version's approval is the principal's, and so are no named approvers.
  if (approving.exact && policy.approvers === null) return null;
  const { by, problems } = approving.judge(policy);
  if (by >= policy.count) return null;
  return (reason, message) => ({
    ...violation('APPROVAL_REQUIRED', message, {
      reason,
      intent_hash: intentHash,
      action_hash: approving.actionHash,
      request_id: null,
      expires_at: null,
      approvers: [...new Set((policy.approvers ?? []).map(({ id }) => id))],
      needed: policy.count - by,
      not_counted: problems.slice(0, MAX_PROBLEMS),
      how: null,
      agent_id: agentId,
    }),
    asks: { approvers: policy.approvers, count: policy.count, ttlMs: policy.ttlMs },
  });
}

const MAX_PROBLEMS = 16;

/** E216: the request that an intent names was spent, whether or not the action needs an approval. */
export function spentApproval({ intent, facts }: Held): Violation | null {
  const spent = facts.approving().spent;
  if (spent === null) return null;
  const spent_at = spent.endedAt === null ? null : formatTime(spent.endedAt);
  return violation(
    'APPROVAL_SPENT',
    `The request ${spent.id} was approved and used${spent_at === null ? '' : ` at ${spent_at}`}.`,
    {
      request_id: spent.id,
      spent_at,
      agent_id: intent.document.agent_id,
    },
  );
}

/** Why approval is needed: a sentence, or that something cannot be read. */
type Reason = string | { readonly because: string };

function reasonFor(rule: ApprovalRule, judged: Judged): Reason | null {
  if (rule.always && rule.actions === null) return 'every action of this agent needs approval';
  if (rule.always || rule.triggers.has(judged.action)) return `the action ${judged.action} needs approval`;
  if (rule.environments.size > 0) {
    const reason = environmentReason(rule.environments, judged);
    if (reason !== null) return reason;
  }
  if (rule.above === null) return null;
  let shown = false;
  for (const source of rule.sources) {
    const reason = amountReason(source, rule, rule.above, judged);
    if (reason === NO_AMOUNT) continue;
    if (reason !== null) return reason;
    shown = true;
  }
  // Leaving a param out never avoids a person.
  return shown || !mayHold(judged, (name) => rule.sources.some((source) => readsMoney(source, name)))
    ? null
    : NO_AMOUNT;
}

const NO_AMOUNT: Reason = { because: 'it shows no amount' };

/** True for an action whose schema declares a member of such a name, or that has no schema. */
function mayHold({ schema }: Judged, isSuch: (name: Name) => boolean): boolean {
  return schema === null || declaredIn(schema).map(nameOf).some(isSuch);
}

const ENVIRONMENT = thingNamed(...ENVIRONMENT_WORDS);

/**
 * What parts several environments in one text, or one from a place in it (`eu/prod`), or stands around them (`["prod"]`). Before folding, which
 * takes a tab for nothing.
 */
const PARTS = /[\s,;|&+/:.\\"'`()[\]{}\u3001]+/u;

function environmentReason(environments: ReadonlySet<string>, judged: Judged): Reason | null {
  const { members, target } = judged;
  let shown = false;
  const values: Json[] = target === null ? [] : [target, ...target.split(/[/:.]/)];
  for (const { name, value } of members) {
    if (!endsWith(name, ENVIRONMENT)) continue;
    shown ||= !isBlank(value);
    if (Array.isArray(value)) values.push(...(value as readonly Json[]));
    else values.push(value);
  }
  for (const value of values) {
    // What is not a name could be any environment to the executor.
    if (typeof value !== 'string') return { because: 'the environment cannot be read' };
    const named = [value, ...value.normalize('NFKC').split(PARTS)]
      .map(foldedText)
      .find((each) => environments.has(each));
    if (named !== undefined) return `the environment ${named} needs approval`;
  }
  // A target names no environment by itself: with a made-up one the param could be left out.
  return shown || !mayHold(judged, (name) => endsWith(name, ENVIRONMENT))
    ? null
    : { because: 'it shows no environment' };
}

function isBlank(value: Json): boolean {
  return Array.isArray(value)
    ? (value as readonly Json[]).every(isBlank)
    : typeof value === 'string' && visibleText(value).trim() === '';
}

function amountReason(
  source: MoneySource,
  inCurrency: InCurrency,
  above: bigint,
  { params, members }: Judged,
): Reason | null {
  const { currency } = inCurrency;
  const amounts = amountsIn(params, members, source, currency);
  if (!isCertain(amounts)) return { because: `the amount cannot be read in ${currency}` };
  const largest = largestOf(amounts);
  if (largest === null) return NO_AMOUNT;
  if (otherCurrency(params, members, inCurrency, [source]) !== null)
    return { because: `the amount cannot be read in ${currency}` };
  return largest.minor > above ? `amounts above ${formatMinor(above, currency)} need approval` : null;
}
