/** Answers to requests for approval, as those who misuse them make them: one thing wrong in each. */
import type { JsonObject } from '../../../protocol/json/values.js';
import { SELF, type PersonsWord } from '../scene.js';
import { signatureBy, type Pair } from '../signing.js';
import { approvedHash, jcsHash } from './people.js';

/** A request that a verifier raised. */
export interface AttackedRequest {
  /** 32 hex digits. */
  readonly id: string;
  /** Public key of the verifier. */
  readonly verifier: string;
  /** Members of the intent that it was raised for. */
  readonly intent: JsonObject;
  readonly passport: JsonObject;
  /** ms since the epoch. */
  readonly at: number;
  /** Longest time that an approval may count, in ms. */
  readonly ttlMs: number;
}

/** Gives the pair of a key that a word names. */
export type PairNamed = (key: string) => Pair;

const MINUTE_MS = 60_000;
const SIGNED = 'signature';

/** The answer of one person, signed. */
export function answerOf(
  { approver, key, flaw }: PersonsWord,
  raised: AttackedRequest,
  pairNamed: PairNamed,
): JsonObject {
  const { intent, passport, at, ttlMs } = raised;
  const id =
    approver === SELF.agent ? passport['agent_id']! : approver === SELF.principal ? passport['principal']! : approver;
  const from = flaw === 'over' ? at - 1000 - MINUTE_MS : at;
  const lasts = flaw === 'too long' ? ttlMs + 1000 : MINUTE_MS;
  const said = flaw === 'another action' ? { ...intent, action: `${String(intent['action'])}_too` } : intent;
  const unsigned: JsonObject = {
    ...{ type: 'approval', version: 2, agent_id: intent['agent_id']!, approver: id, key_id: `${String(id)}#key-1` },
    request_id: flaw === 'another request' ? 'ab'.repeat(16) : raised.id,
    verifier: flaw === 'another verifier' ? pairNamed(SELF.stranger).text : raised.verifier,
    action_hash: approvedHash(said, passport),
    passport_hash: jcsHash(flaw === 'another passport' ? { ...passport, serial: 1 } : passport),
    decision: flaw?.startsWith('denial') === true ? 'deny' : 'approve',
    ...{ reason: null, approved_at: timeText(from), approved_until: timeText(from + lasts) },
  };
  const answer = { ...unsigned, [SIGNED]: signatureBy(pairNamed(key), unsigned, SIGNED) };
  return flaw === 'denial turned into a yes' ? { ...answer, decision: 'approve' } : answer;
}

/** RFC 3339, in whole seconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
