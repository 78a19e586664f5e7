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
  readonly #open = new Set<string>();

  /** The server answered the request of this key; it may go on where the answer asks for more. */
  opened(key: string, { resultType, requestState }: JsonObject): void {
    if (resultType !== 'input_required') return;
    if (this.#open.size >= MOST) this.#open.clear();
    this.#open.add(entry(key, requestState));
  }

  /**
   * True, once, for a request that goes on from what was opened for the very same. A server that keeps no state gives none: what goes on
   * from there carries answers.
   */
  take(key: string, { inputResponses, requestState }: JsonObject): boolean {
    if (inputResponses === undefined && requestState === undefined) return false;
    return this.#open.delete(entry(key, requestState));
  }
}

function entry(key: string, state: Json | undefined): string {
  return state === undefined ? key : `${key} ${canonicalize(state)}`;
}
