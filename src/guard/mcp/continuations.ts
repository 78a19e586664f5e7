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
  /** The hashes of the intents that go on, the oldest first: without a state of their server's, two of the same look alike. */
  readonly #open = new Map<string, string[]>();
  #size = 0;

  /** The server answered the request of this key, which ran under this intent; it may go on where the answer asks for more. */
  opened(key: string, { resultType, requestState }: JsonObject, intentHash: string): void {
    if (resultType !== 'input_required') return;
    if (this.#size >= MOST) {
      this.#open.clear();
      this.#size = 0;
    }
    const open = entry(key, requestState);
    this.#open.set(open, [...(this.#open.get(open) ?? []), intentHash]);
    this.#size += 1;
  }

  /**
   * The intent, once, that a request goes on from: one for the very same. A server that keeps no state gives none: what goes on from there
   * carries answers.
   */
  take(key: string, { inputResponses, requestState }: JsonObject): string | null {
    if (inputResponses === undefined && requestState === undefined) return null;
    const open = entry(key, requestState);
    const [intentHash, ...others] = this.#open.get(open) ?? [];
    if (intentHash === undefined) return null;
    if (others.length === 0) this.#open.delete(open);
    else this.#open.set(open, others);
    this.#size -= 1;
    return intentHash;
  }
}

function entry(key: string, state: Json | undefined): string {
  return state === undefined ? key : `${key} ${canonicalize(state)}`;
}
