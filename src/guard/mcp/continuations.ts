/** Requests that a server's own answer lets go on (`input_required`): they are judged again, and not counted a second time. */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';

/** More than a person would leave open: the server fills this set. */
const MOST = 1024;

/** The hash of what a request asks for, without what it answers: a continuation must be of the very same. */
export function requestKey(method: string, asked: JsonObject): string {
  const { _meta, inputResponses: _answers, requestState: _state, ...rest } = asked;
  return sha256Hex(canonicalize({ method, ...rest }));
}

/** The continuations of one session. */
export class Continuations {
  /** The hash of the intent that each goes on from. */
  readonly #open = new Map<string, string>();

  /** The server answered the request of this key, which ran under this intent; it may go on where the answer asks for more. */
  opened(key: string, { resultType, requestState }: JsonObject, intentHash: string): void {
    if (resultType !== 'input_required') return;
    if (this.#open.size >= MOST) this.#open.clear();
    this.#open.set(entry(key, requestState), intentHash);
  }

  /**
   * The intent, once, that a request goes on from: one for the very same. A server that keeps no state gives none: what goes on from there
   * carries answers.
   */
  take(key: string, { inputResponses, requestState }: JsonObject): string | null {
    if (inputResponses === undefined && requestState === undefined) return null;
    const open = entry(key, requestState);
    const intentHash = this.#open.get(open) ?? null;
    this.#open.delete(open);
    return intentHash;
  }
}

function entry(key: string, state: Json | undefined): string {
  return state === undefined ? key : `${key} ${canonicalize(state)}`;
}
