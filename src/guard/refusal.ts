/** Why a call does not run, in words for a model and for programs. */
import { remedyFor, withNames } from '../app/verification/remedy.js';
import { NATIVE_CODES, type CodeEntry } from '../protocol/codes.js';
import type { JsonObject } from '../protocol/json/values.js';
import type { Decision } from '../verify/decision.js';

/** The refusal of a call. */
export interface CallRefusal {
  readonly code: string;
  readonly name: string;
  /** One sentence. */
  readonly message: string;
  /** What to do about it; empty for a code that is in no catalogue. */
  readonly remedy: string;
  readonly details: JsonObject;
  readonly intentHash: string | null;
}

const ENTRIES: ReadonlyMap<string, CodeEntry> = new Map(
  Object.values(NATIVE_CODES).map((entry) => [entry.code, entry]),
);

/** A refused decision as a refusal. */
export function refusalOf(decision: Decision): CallRefusal {
  const code = decision.error_code ?? 'AIP-E100';
  const known = ENTRIES.get(code);
  const denied = code === NATIVE_CODES.APPROVAL_REQUIRED.code && decision.details?.reason === 'denied';
  const remedy = known === undefined ? '' : withNames(remedyFor(known, decision.details), decision);
  return {
    code,
    name: decision.error_message ?? code,
    message: decision.message,
    remedy: denied ? 'Do not ask for it before then.' : remedy,
    details: decision.details ?? {},
    intentHash: decision.intent_hash,
  };
}

/** The same to one who can only ask again, such as a model or a coding agent: it signs nothing itself, and names no request. */
export function refusalToAsker(decision: Decision): CallRefusal {
  const refusal = refusalOf(decision);
  if (refusal.code !== NATIVE_CODES.APPROVAL_REQUIRED.code) return refusal;
  const { request_id: id, reason } = refusal.details;
  if (reason === 'denied') return refusal;
  if (reason === 'too_large') return { ...refusal, remedy: 'Ask for it in smaller parts.' };
  if (typeof id !== 'string') return { ...refusal, remedy: 'Ask again when an approver has answered others.' };
  const remedy = `Have an approver answer \`aip approvals approve ${id}\`, then ask for the very same action again.`;
  return { ...refusal, remedy };
}

/** The refusal as one line of text: code, name, sentence, remedy. */
export function refusalLine({ code, name, message, remedy }: CallRefusal): string {
  const said = name === message || name === code ? code : `${code} ${name}`;
  return `${said}: ${message}${remedy === '' ? '' : ` ${remedy}`}`;
}
