/** Requests for approval (protocol, section 5.3): raised, looked up and spent in the transaction of the judgement. */
import type { RequestRecord } from '../ports/state.js';
import { actionHash, type AskedAction } from '../../protocol/approvals/action-hash.js';
import {
  approvalRequestBytes,
  MOST_PENDING,
  type ApprovalRequestDocument,
  type NamedApprover,
} from '../../protocol/approvals/request.js';
import { toHex } from '../../protocol/hex.js';
import { principalOfAgent } from '../../protocol/identity/did.js';
import { lazy } from '../../protocol/lazy.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import { formatTime } from '../../protocol/time.js';
import { isOfAction, isOwnKey, judgeAnswers, type Answered } from '../../verify/approvals/approvals.js';
import type { ApprovalPolicy, Approving } from '../../verify/approvals/approving.js';
import { deniedNow } from '../../verify/believed-keys.js';
import type { Facts, PinnedKey } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';
import type { Findings } from '../../verify/pipeline.js';
import type { PreparedDocument, Sitting } from '../verification/sitting.js';

/** One document in the middle of its judgement. */
export interface Asked {
  readonly sitting: Sitting;
  readonly prepared: PreparedDocument;
  readonly facts: Pick<Facts, 'approving'>;
}

/** What is known of the approvals of a document's action. */
export function approvingOf(sitting: Sitting, prepared: PreparedDocument): Approving {
  const { standing, standingNow, memory } = sitting;
  const { intent, proven, submission } = prepared;
  const facts = { standing, standingNow };
  const counts = ({ keyId, key }: PinnedKey): boolean =>
    !isOwnKey(proven.speaker?.passport ?? null, key.text) &&
    (memory === null || (deniedNow(facts, key.text) === null && deniedNow(facts, keyId) === null));
  // Most documents need no approval, and none is looked for.
  const hash = lazy(() => actionHash(actionOf(prepared)));
  const named = namedRequest(sitting, prepared);
  // What goes on with a call was approved with it: the request that the call has spent still says so, and is not spent again.
  const continued = submission.counted === false && named?.status === 'spent';
  const request: RequestRecord | null = continued ? { ...named, status: 'open' } : named;
  return {
    exact:
      proven.speaker !== null && (sitting.approved(intent, counts) || submission.approved?.(intent, counts) === true),
    get actionHash() {
      return hash();
    },
    spent: request?.status === 'spent' && request.agentId === intent.document.agent_id ? request : null,
    judge: (policy) => {
      if (request === null || sitting.requester === null) return { by: 0, problems: [] };
      return judgeAnswers(answeredOf(sitting, prepared, request, hash()), policy);
    },
  };
}

function answeredOf(sitting: Sitting, prepared: PreparedDocument, request: RequestRecord, hash: string): Answered {
  const { standing, standingNow, now } = sitting;
  const { intent, proven, submission, pins } = prepared;
  const passport = proven.speaker?.passport ?? null;
  return {
    request,
    answers: [...request.answers, ...sitting.answers, ...(submission.answers ?? [])].filter(
      ({ document }) => document.request_id === request.id,
    ),
    verifier: raiserOf(sitting, request),
    actionHash: hash,
    agentId: intent.document.agent_id,
    principal: principalOf(prepared),
    passport,
    pins,
    facts: { standing, standingNow, now },
  };
}

/** Whose request counts here: this verifier's own, or one that those who share a memory vouch for. */
function raiserOf({ requester }: Sitting, request: RequestRecord): string {
  return request.vouched === true ? request.verifier : requester!().publicKey;
}

function namedRequest({ memory }: Sitting, { intent, submission, proven }: PreparedDocument): RequestRecord | null {
  const id = intent.document.approval_request ?? submission.approvalRequest ?? null;
  return id === null || memory === null || proven.speaker === null ? null : memory.approvalRequest(id);
}

function actionOf({ intent, proven }: PreparedDocument): AskedAction {
  const { agent_id, action, params, target = null } = intent.document;
  return { agent_id, action, params, target, passport_hash: proven.speaker?.passport?.hash() ?? null };
}

/** The request that an accepted document ran under, to be spent; null where it named none of its action. */
export function requestUsed({ sitting, prepared, facts }: Asked): RequestRecord | null {
  const request = namedRequest(sitting, prepared);
  if (request === null || request.status !== 'open' || sitting.requester === null) return null;
  const verifier = raiserOf(sitting, request);
  const { agent_id: agentId } = prepared.intent.document;
  return isOfAction({ request, verifier, actionHash: facts.approving().actionHash, agentId }) ? request : null;
}

/** The refusal with the request that persons answer, where nothing but their word is missing. */
export function withRequest(outcome: Findings, asked: Asked): Findings {
  const { sitting } = asked;
  const policies = outcome.violations.map(({ asks }) => asks);
  if (sitting.memory === null || sitting.requester === null) return outcome;
  if (policies.length === 0 || policies.includes(undefined)) return outcome;
  const found = requestFor(outcome.violations as readonly Asking[], asked);
  return { ...outcome, violations: outcome.violations.map((each) => withFacts(each, found, asked.prepared)) };
}

type Asking = Violation & { readonly asks: ApprovalPolicy };

/** What becomes of the asking: a request to answer, or the reason why there is none. */
type Found =
  | { readonly request: RequestRecord | OpenedView }
  | { readonly reason: 'denied' | 'too_many_pending' | 'too_large' | null; readonly message: string | null };

interface OpenedView {
  readonly id: string;
  readonly expiresAt: number;
}

function requestFor(violations: readonly Asking[], asked: Asked): Found {
  const { sitting, prepared, facts } = asked;
  const { now, dryRun } = sitting;
  const memory = sitting.memory!;
  const hash = facts.approving().actionHash;
  const last = memory.requestOf(hash, now);
  if (last !== null && last.verifier === raiserOf(sitting, last)) {
    if (last.status === 'open') return { request: last };
    const until = last.endedAt! + last.ttlMs;
    if (now < until)
      return {
        reason: 'denied',
        message: `A person has denied this; it may be asked again from ${formatTime(until)}.`,
      };
  }
  // Nothing is kept that a person could answer, or the call runs without an answer.
  if (dryRun || prepared.submission.observed === true) return { reason: null, message: null };
  const { agent_id: agentId } = prepared.intent.document;
  const pending = memory.pendingRequests(agentId, now);
  if (pending.agent >= MOST_PENDING.agent || pending.all >= MOST_PENDING.all)
    return { reason: 'too_many_pending', message: 'Too many requests for approval wait for an answer.' };
  const document = requestDocument(violations, asked, hash);
  const text = JSON.stringify(document);
  // The params as they are signed may be several times as long as they came: `1e20` has 21 digits.
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES)
    return {
      reason: 'too_large',
      message: `The request for approval would have more than ${MAX_DOCUMENT_BYTES} bytes.`,
    };
  const expiresAt = now + ttlOf(violations);
  const { request_id: id, verifier } = document;
  memory.openRequest({
    id,
    verifier,
    actionHash: hash,
    agentId,
    expiresAt,
    ttlMs: ttlOf(violations),
    text,
  });
  return { request: { id, expiresAt } };
}

function ttlOf(violations: readonly Asking[]): number {
  return Math.min(...violations.map(({ asks }) => asks.ttlMs));
}

function requestDocument(
  violations: readonly Asking[],
  { sitting, prepared }: Asked,
  hash: string,
): ApprovalRequestDocument {
  const { publicKey, sign, random } = sitting.requester!();
  const [first] = violations;
  const unsigned = {
    type: 'approval-request',
    version: 1,
    request_id: toHex(random(16)),
    verifier: publicKey,
    action_hash: hash,
    ...actionOf(prepared),
    reason: first!.message.slice(0, MAX_SHOWN),
    approvers: approversOf(violations, prepared),
    count: Math.max(...violations.map(({ asks }) => asks.count)),
    ttl_s: Math.floor(ttlOf(violations) / 1000),
    requested_at: formatTime(sitting.now),
    expires_at: formatTime(sitting.now + ttlOf(violations)),
  } as const;
  return { ...unsigned, signature: sign(Buffer.from(approvalRequestBytes(unsigned)).toString('utf8')) };
}

const MAX_SHOWN = 500;

/** Everybody whose word is missing; a principal by its id, as its keys are pinned. */
function approversOf(violations: readonly Asking[], prepared: PreparedDocument): readonly NamedApprover[] {
  const named = violations.flatMap(({ asks }): readonly NamedApprover[] =>
    asks.approvers === null
      ? [{ id: principalOf(prepared) ?? prepared.intent.document.agent_id, public_key: null }]
      : asks.approvers.map(({ id, publicKey }) => ({ id, public_key: publicKey })),
  );
  return [...new Map(named.map((each) => [`${each.id} ${each.public_key}`, each])).values()];
}

function principalOf({ intent, proven }: Pick<PreparedDocument, 'intent' | 'proven'>): string | null {
  return proven.speaker?.passport?.document.principal ?? principalOfAgent(intent.document.agent_id);
}

function withFacts(violation: Violation, found: Found, prepared: PreparedDocument): Violation {
  const principal = principalOf(prepared);
  const { details } = violation;
  const named = details.approvers as readonly string[];
  const approvers = named.length > 0 || principal === null ? named : [principal];
  if ('reason' in found) {
    const { reason, message } = found;
    return {
      ...violation,
      message: message ?? violation.message,
      details: { ...details, approvers, ...(reason === null ? {} : { reason }) },
    };
  }
  const { id, expiresAt } = found.request;
  return {
    ...violation,
    message: `${violation.message.replace(/\.?$/, '.')} The request is ${id}.`,
    details: {
      ...details,
      approvers,
      request_id: id,
      expires_at: formatTime(expiresAt),
      how: `aip approvals approve ${id}`,
    },
  };
}
