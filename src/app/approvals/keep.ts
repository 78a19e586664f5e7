/** Answers to requests of this machine, kept where their requests are. */
import {
  readActionApproval,
  termProblem,
  type ActionApproval,
  type ActionApprovalDocument,
} from '../../protocol/approvals/approval.js';
import { deniableSpelling } from '../../protocol/approvals/person.js';
import { readApprovalRequest } from '../../protocol/approvals/request.js';
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { deniedNow } from '../../verify/believed-keys.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Ledger, RequestRecord, State } from '../ports/state.js';

/** The keys that are believed for a principal. */
export interface ApproverPins {
  readonly pins: (did: string) => readonly { readonly keyId: string; readonly publicKey: Uint8Array }[];
}

/** The keys that a verification pins, for those who keep answers. */
export function approverPins(pins: (did: string) => readonly PinnedKey[]): ApproverPins['pins'] {
  return (did) => pins(did).map(({ keyId, key }) => ({ keyId, publicKey: key.publicKey }));
}

/**
 * Keeps a signed answer, judged by this machine's own pins and by what the request names, wherever it comes from: the mesh can hold an answer
 * back and make none. The answer counts anew in each decision. Returns why it was not kept, in one sentence; null where it is.
 * @param now ms since the epoch.
 */
export function keepAnswer(
  state: Pick<State, 'transact' | 'standingNow'> & ApproverPins,
  document: ActionApprovalDocument,
  now: number,
): string | null {
  let answer: ActionApproval;
  try {
    answer = readActionApproval(JSON.stringify(document));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return error.reason;
  }
  return state.transact((ledger) => {
    const request = ledger.approvalRequest(answer.document.request_id);
    if (request === null) return 'this machine keeps no such request';
    if (request.answers.some((each) => each.document.signature === answer.document.signature)) return null;
    const signer = answerSigner(answer, request, state);
    if (typeof signer !== 'object') return signer;
    const problem =
      misfit(answer, request, now) ??
      stopped(
        ledger,
        [signer.publicKey, signer.keyId, answer.document.key_id, answer.document.approver],
        state.standingNow(now),
      );
    if (problem !== null) return problem;
    return ledger.answerRequest(answer, signer.publicKey, now) ? null : 'the request is over';
  });
}

/** The key that signed an answer, `ed25519:` and hex, where the request names its approver; else why it is nobody's, in one sentence. */
export function answerSigner(
  { document, signedBytes, signature }: ActionApproval,
  { text }: RequestRecord,
  state: ApproverPins,
): { readonly keyId: string; readonly publicKey: string } | string {
  const named = readApprovalRequest(text).document.approvers.filter(({ id }) => id === document.approver);
  const keys = named.flatMap(({ id, public_key }) =>
    public_key === null ? state.pins(id) : [{ keyId: `${id}#key-1`, publicKey: parsePublicKey(public_key)! }],
  );
  if (named.length === 0) return 'the request does not name its approver';
  const signer = keys.find(({ publicKey }) => {
    const key = verifyKeyOf(publicKey);
    return key !== null && verifySignature(key, signedBytes, signature);
  });
  return signer === undefined
    ? 'no key of its approver signed it'
    : { keyId: signer.keyId, publicKey: formatPublicKey(signer.publicKey) };
}

function misfit(answer: ActionApproval, request: RequestRecord, now: number): string | null {
  const { document } = answer;
  if (document.verifier !== request.verifier) return 'it is for another verifier';
  if (document.action_hash !== request.actionHash || document.agent_id !== request.agentId)
    return 'it is for another action';
  return document.decision === 'approve' ? termProblem(answer, request.ttlMs, now) : null;
}

/** A denial ends the request, so one who may not speak any more must not make one. */
function stopped(ledger: Pick<Ledger, 'standing'>, subjects: readonly string[], standingNow: number): string | null {
  const facts = { standing: (subject: string) => ledger.standing(subject), standingNow };
  return subjects.some((subject) => deniedNow(facts, deniableSpelling(subject)) !== null)
    ? 'its approver is revoked or suspended'
    : null;
}
