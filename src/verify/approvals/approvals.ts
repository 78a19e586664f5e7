/**
 * Whether a person has approved what an intent asks for (protocol, section 5.3): of exactly this intent, as the first version signed it, or
 * of the action by a request. Every answer is judged anew in the transaction that spends it.
 */
import { termProblem, type ActionApproval } from '../../protocol/approvals/approval.js';
import { deniableSpelling, personNamed } from '../../protocol/approvals/person.js';
import type { Approver } from '../../protocol/constraints/rules.js';
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import type { Passport } from '../../protocol/passport.js';
import { formatTime } from '../../protocol/time.js';
import { deniedNow } from '../believed-keys.js';
import type { Approved, ApprovalPolicy, RequestRecord } from './approving.js';
import type { Facts, PinnedKey } from '../context.js';

/** All that the judgement of answers reads. */
export interface Answered {
  readonly request: RequestRecord;
  readonly answers: readonly ActionApproval[];
  /** The public key of this verifier. */
  readonly verifier: string;
  readonly actionHash: string;
  readonly agentId: string;
  /** Who answers for the agent; null where that cannot be told. */
  readonly principal: string | null;
  readonly passport: Passport | null;
  readonly pins: (principal: string) => readonly PinnedKey[];
  readonly facts: Pick<Facts, 'standing' | 'standingNow' | 'now'>;
}

/** True for a request that a document of this action may name here. */
export function isOfAction({
  request,
  verifier,
  actionHash,
  agentId,
}: Pick<Answered, 'request' | 'verifier' | 'actionHash' | 'agentId'>): boolean {
  return request.verifier === verifier && request.actionHash === actionHash && request.agentId === agentId;
}

/** How many different approvers have approved. A denial that counts makes it none. */
export function judgeAnswers(answered: Answered, policy: ApprovalPolicy): Approved {
  const { request, answers } = answered;
  if (request.status !== 'open') {
    // Only the denial that ended it was kept with it.
    const end = request.answers.find(({ document }) => document.decision === 'deny');
    const problem = end === undefined ? `the request is ${request.status}` : `${end.document.approver} has denied it`;
    return { by: 0, problems: [problem] };
  }
  if (!isOfAction(answered)) {
    const what = request.verifier === answered.verifier ? 'action or passport' : 'verifier';
    return { by: 0, problems: [`the request is of another ${what}`] };
  }
  const people = new Set<string>();
  const problems: string[] = [];
  for (const answer of answers) {
    const { approver, decision } = answer.document;
    const problem = problemOf(answer, answered, policy);
    if (problem !== null) problems.push(`the answer of ${approver} does not count: ${problem}`);
    else if (decision === 'deny') return { by: 0, problems: [`${approver} has denied it`] };
    // Two keys of one approver are one person.
    else people.add(personNamed(approver));
  }
  return { by: people.size, problems };
}

/** Why an answer does not count, in one sentence; null when it does. */
export function problemOf(answer: ActionApproval, answered: Answered, policy: ApprovalPolicy): string | null {
  const { document, approvedUntil } = answer;
  const { request, verifier, actionHash, passport, facts } = answered;
  const passportHash = passport?.hash() ?? null;
  if (document.request_id !== request.id) return 'it is for another request';
  if (document.verifier !== verifier) return 'it is for another verifier';
  if (document.action_hash !== actionHash || document.agent_id !== answered.agentId) return 'it is for another action';
  if (document.passport_hash !== passportHash) return 'it is for another passport';
  if (document.decision === 'approve') {
    if (!(facts.now < approvedUntil)) return `it ended at ${formatTime(approvedUntil)}`;
    const problem = termProblem(answer, policy.ttlMs, facts.now);
    if (problem !== null) return problem;
  }
  return signerProblem(answer, answered, policy);
}

function signerProblem(
  { document, signedBytes, signature }: ActionApproval,
  { agentId, passport, principal, pins, facts }: Answered,
  { approvers }: ApprovalPolicy,
): string | null {
  const { approver, key_id } = document;
  const keys = approvers === null ? principalKeys(approver, principal, pins) : namedKeys(approver, approvers);
  if (keys.length === 0) return 'the passport does not name this approver';
  const signer = keys.find(({ key }) => verifySignature(key, signedBytes, signature));
  if (signer === undefined) return 'no key of this approver signed it';
  const { text } = signer.key;
  // An agent that could approve for itself would need no person.
  if (personNamed(approver) === personNamed(agentId) || isOwnKey(passport, text))
    return "it is signed with the agent's own key";
  // The answer names its key as it likes; a denial may name the one that is pinned.
  const denied = [text, key_id, signer.keyId, approver].some(
    (each) => deniedNow(facts, deniableSpelling(each)) !== null,
  );
  return denied ? 'its approver is revoked or suspended' : null;
}

/** True for a key that the passport gives to its agent, now or before. */
export function isOwnKey(passport: Passport | null, text: string): boolean {
  return passport !== null && [passport.currentKey, ...passport.previousKeys].some(({ key }) => key.text === text);
}

function principalKeys(approver: string, principal: string | null, pins: Answered['pins']): readonly PinnedKey[] {
  return principal === null || approver !== principal ? [] : pins(principal);
}

function namedKeys(approver: string, approvers: readonly Approver[]): readonly PinnedKey[] {
  return approvers.flatMap(({ id, publicKey }) => {
    const raw = id === approver ? parsePublicKey(publicKey) : null;
    const key = raw === null ? null : verifyKeyOf(raw);
    return key === null ? [] : [{ keyId: `${id}#key-1`, key }];
  });
}
