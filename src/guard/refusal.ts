/** Why a call does not run, in words for a model and for programs. */
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
  return {
    code,
    name: decision.error_message ?? code,
    message: decision.message,
    remedy: ENTRIES.get(code)?.remedy ?? '',
    details: decision.details ?? {},
    intentHash: decision.intent_hash,
  };
}

/** The refusal as one line of text: code, name, sentence, remedy. */
export function refusalLine({ code, name, message, remedy }: CallRefusal): string {
  const said = name === message || name === code ? code : `${code} ${name}`;
  return `${said}: ${message}${remedy === '' ? '' : ` ${remedy}`}`;
}
