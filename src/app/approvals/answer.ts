/** Answers to requests for approval, signed with the key of an approver that this machine holds. */
import {
  actionApprovalBytes,
  DEFAULT_APPROVED_MS,
  MAX_APPROVAL_REASON,
  type ActionApprovalDocument,
} from '../../protocol/approvals/approval.js';
import { isVerifierSigned, type ApprovalRequest, type NamedApprover } from '../../protocol/approvals/request.js';
import { personNamed } from '../../protocol/approvals/person.js';
import { publicKeyOf } from '../../protocol/ed25519/sign.js';
import { toHex } from '../../protocol/hex.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { formatTime } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import { keyAt, openKey, seedKey, type HeldKey } from '../keys/keyring.js';
import { issuerKey, type PrincipalDeps } from '../keys/principals.js';
import type { State } from '../ports/state.js';

/** What answering as a person needs: the keys of this machine, one of which is the approver's. */
export interface AnswerDeps extends PrincipalDeps {
  readonly state: PrincipalDeps['state'] & Pick<State, 'keys'>;
}

/** A person's answer to a request, before it is signed. */
export interface ApprovalAnswer {
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  /** How long an approval counts, in ms; null takes 15 minutes, or less where the passport says so. */
  readonly forMs: number | null;
  /** The approver to answer as; null takes the first whose key is here. */
  readonly as: string | null;
  /** The approver's seed, where it is in no store of this machine; null looks there. */
  readonly seed: Uint8Array | null;
}

/**
 * All that an answer needs, found before a person is asked for it; the function returned signs it.
 * @throws Failure USAGE for a request that its verifier did not sign or that is over, KEY_NOT_FOUND where no approver's key is here
 */
export async function answering(
  deps: AnswerDeps,
  request: ApprovalRequest,
  answer: ApprovalAnswer,
): Promise<() => Promise<ActionApprovalDocument>> {
  const { document } = request;
  requireSigned(request);
  requireWaiting(request, deps.clock());
  if (answer.reason !== null && (answer.reason.length === 0 || answer.reason.length > MAX_APPROVAL_REASON))
    throw new Failure('USAGE', `A reason has 1 to ${MAX_APPROVAL_REASON} characters.`);
  const most = document.ttl_s * 1000;
  const forMs = answer.forMs ?? Math.min(DEFAULT_APPROVED_MS, most);
  if (!(forMs > 0 && forMs <= most))
    throw new Failure('USAGE', `An approval of this request counts for at most ${document.ttl_s} s.`, {
      hint: `--for ${document.ttl_s}s`,
    });
  const { approver, key } = await signer(deps, document.approvers, answer);
  return async () => {
    // A person may take longer than the request waits.
    const now = deps.clock();
    requireWaiting(request, now);
    const unsigned = {
      type: 'approval',
      version: 2,
      request_id: document.request_id,
      verifier: document.verifier,
      action_hash: document.action_hash,
      agent_id: document.agent_id,
      passport_hash: document.passport_hash,
      approver,
      key_id: key.keyId,
      decision: answer.decision,
      reason: answer.reason,
      approved_at: formatTime(now),
      approved_until: formatTime(now + forMs),
    } as const;
    return { ...unsigned, signature: toHex(await key.sign(actionApprovalBytes(unsigned))) };
  };
}

function requireWaiting({ document, expiresAt }: ApprovalRequest, now: number): void {
  if (now < expiresAt) return;
  throw new Failure('USAGE', `The request ended at ${document.expires_at}.`, { hint: 'aip approvals list' });
}

/** Fails unless the verifier that the request names signed it. */
export function requireSigned(request: ApprovalRequest): void {
  if (isVerifierSigned(request)) return;
  throw new Failure(
    'USAGE',
    'The verifier that the request names did not sign it: it was changed, or made by another.',
    {
      hint: 'get the request from its verifier again: aip approvals show <id> --json | jq .request',
    },
  );
}

async function signer(
  deps: AnswerDeps,
  approvers: readonly NamedApprover[],
  { as, seed }: ApprovalAnswer,
): Promise<{ approver: string; key: HeldKey }> {
  const wanted = approvers.filter(({ id }) => as === null || id === as);
  if (wanted.length === 0)
    throw new Failure('USAGE', `${as} is not among those who may answer.`, {
      hint: `--as ${approvers[0]?.id ?? '<id>'}`,
    });
  if (seed !== null) return given(deps, wanted, seed);
  if (deps.issuerAt != null) return asked(deps, wanted, deps.issuerAt);
  for (const { id, public_key } of wanted) {
    if (public_key === null) {
      const pinned = deps.state.pins(id).some((pin) => deps.state.key(pin.keyId) !== null);
      if (pinned) return { approver: id, key: (await issuerKey(deps, id, null)).key };
      continue;
    }
    for (const { keyId } of deps.state.keys()) {
      if (!keyId.startsWith(`${id}#`)) continue;
      const key = await opened(deps, keyId, parsePublicKey(public_key)!);
      if (key !== null) return { approver: id, key };
    }
  }
  throw notHere(wanted);
}

function notHere(wanted: readonly NamedApprover[]): Failure {
  const names = [...new Set(wanted.map(({ id }) => personNamed(id)))].slice(0, 8).join(', ');
  return new Failure('KEY_NOT_FOUND', `This machine holds no key of those who may answer: ${names}.`, {
    hint: 'answer where their key is, or import it: aip key import <file> --id <did>#key-1',
  });
}

/** Null where the store holds another key under the id. */
async function opened(deps: AnswerDeps, keyId: string, publicKey: Uint8Array): Promise<HeldKey | null> {
  try {
    return await openKey(deps, keyId, publicKey);
  } catch (error) {
    if (error instanceof Failure && error.code === 'KEY_NOT_FOUND') return null;
    throw error;
  }
}

/** The approver whose key is at the address. */
async function asked(
  deps: AnswerDeps,
  wanted: readonly NamedApprover[],
  address: KeyAddressText,
): Promise<{ approver: string; key: HeldKey }> {
  const keys = wanted.flatMap(({ id, public_key }) =>
    public_key === null
      ? [...deps.state.pins(id)].reverse()
      : [{ keyId: `${id}#key-1`, publicKey: parsePublicKey(public_key)! }],
  );
  if (keys.length === 0) throw notHere(wanted);
  const key = await keyAt(deps, address, keys);
  return { approver: key.keyId.split('#', 1)[0]!, key };
}

function given(
  deps: AnswerDeps,
  wanted: readonly NamedApprover[],
  seed: Uint8Array,
): { approver: string; key: HeldKey } {
  const publicKey = publicKeyOf(seed);
  const text = formatPublicKey(publicKey);
  for (const { id, public_key } of wanted) {
    if (public_key === text) return { approver: id, key: seedKey(`${id}#key-1`, seed) };
    const pin = public_key === null && deps.state.pins(id).find((each) => formatPublicKey(each.publicKey) === text);
    if (pin) return { approver: id, key: seedKey(pin.keyId, seed) };
  }
  throw new Failure('KEY_NOT_FOUND', 'The key belongs to none of those who may answer.', {
    hint: 'aip approvals show <id>',
  });
}
