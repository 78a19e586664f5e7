/** Whether persons have approved what an intent asks for, worked out a second time: from the answers as they were signed. */
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import { isSignedUnder } from '../signing.js';
import { approvedHash, countIn, jcsHash, peopleIn, personOf, ttlIn } from './people.js';

/** What is known of the request that an intent may name. */
export interface HeardWords {
  /** Its id; null where none was raised. */
  readonly request: string | null;
  /** Public key of the verifier that raised it. */
  readonly verifier: string;
  /** Every answer to it. */
  readonly answers: readonly JsonObject[];
  /** Those that come with the intent. */
  readonly brought: readonly JsonObject[];
  /** Ids of approvers who are revoked. */
  readonly revoked: readonly string[];
}

/** No request, and no answer. */
export const SILENCE: HeardWords = { request: null, verifier: '', answers: [], brought: [], revoked: [] };

/** The intent, and what it is judged by. */
export interface ApprovedIntent {
  readonly document: JsonObject;
  readonly passport: JsonObject;
  readonly principalKey: string;
  readonly heard: HeardWords;
  /** Intents that were accepted before. */
  readonly before: readonly JsonObject[];
  /** ms since the epoch. */
  readonly now: number;
}

/** True where as many as the value of a `require_approval` demands have approved this, once, and no one denied it. */
export function isApproved(value: Json, intent: ApprovedIntent): boolean {
  const { document, heard, before } = intent;
  const request = document['approval_request'];
  if (typeof request !== 'string' || request !== heard.request) return false;
  if (before.some((each) => each['approval_request'] === request)) return false;
  const counting = heard.answers.filter((answer) => counts(answer, value, intent));
  if (counting.some(({ decision }) => decision !== 'approve')) return false;
  return new Set(counting.map(({ approver }) => personOf(String(approver)))).size >= countIn(value);
}

function counts(
  answer: JsonObject,
  value: Json,
  { document, passport, principalKey, heard, now }: ApprovedIntent,
): boolean {
  const { approver, decision } = answer;
  const isOfThis =
    answer['type'] === 'approval' &&
    answer['request_id'] === heard.request &&
    answer['verifier'] === heard.verifier &&
    answer['agent_id'] === document['agent_id'] &&
    answer['action_hash'] === approvedHash(document, passport) &&
    answer['passport_hash'] === jcsHash(passport);
  if (!isOfThis || heard.revoked.includes(String(approver))) return false;
  const [from, until] = [Date.parse(String(answer['approved_at'])), Date.parse(String(answer['approved_until']))];
  if (decision === 'approve' && !(now < until && until - from <= ttlIn(value))) return false;
  const people = peopleIn(value);
  const keys =
    people === null
      ? approver === passport['principal']
        ? [principalKey]
        : []
      : people.filter(({ id }) => id === approver).map(({ key }) => key);
  return (
    approver !== passport['agent_id'] &&
    keys.some((key) => key !== passport['public_key'] && isSignedUnder(key, answer, 'signature'))
  );
}
