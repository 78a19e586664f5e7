/** Calls that a server's own answer lets go on (`input_required`): they are judged again, and not counted a second time. */
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Json } from '../../protocol/json/values.js';

/** More than a person would leave open: the server fills this set. */
const MOST = 1024;

/** The continuations of one session. */
export class Continuations {
  readonly #open = new Set<string>();

  /** The server answered `call` (the hash of its name and arguments) with a state to go on from. */
  opened(call: string, state: Json): void {
    if (this.#open.size >= MOST) this.#open.clear();
    this.#open.add(`${call} ${canonicalize(state)}`);
  }

  /** True, once, for a call that goes on from a state that was opened for the very same name and arguments. */
  take(call: string, state: Json): boolean {
    return this.#open.delete(`${call} ${canonicalize(state)}`);
  }
}
