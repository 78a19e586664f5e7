/** What lets a process that goes on decide from its copy of the mesh's state: the roster, or an answer of the mesh. */
import { isUnmissed, type MeshCopy } from '../../app/ports/mesh.js';
import type { MeshFollow } from '../mesh.js';
import type { World } from '../world.js';

/** How long an answer of the mesh speaks for decisions that came with it, in ms. */
const HOLDS_MS = 500;
/** A mesh that did not answer is asked again after so long, in ms: until then nothing waits for it. */
const ASK_AGAIN_MS = 1000;

/** While the mesh does not count this machine, each decision needs an answer of it. */
export class Vouching {
  readonly #copy: Pick<MeshCopy, 'note'>;
  readonly #following: Pick<MeshFollow, 'state'> | null;
  readonly #ask: () => Promise<boolean>;
  readonly #ticks: World['ticks'];
  #asking: Promise<void> | null = null;
  #answered: { readonly heard: boolean; readonly at: number } | null = null;

  /** `ask` asks the mesh once: true when the copy was proven current. */
  constructor(
    copy: Pick<MeshCopy, 'note'>,
    following: Pick<MeshFollow, 'state'> | null,
    { ticks }: Pick<World, 'ticks'>,
    ask: () => Promise<boolean>,
  ) {
    this.#copy = copy;
    this.#following = following;
    this.#ask = ask;
    this.#ticks = ticks;
  }

  /** False where the mesh does not count this machine, and has not answered just now. */
  get holds(): boolean {
    return !this.#needed() || this.#within(true, HOLDS_MS);
  }

  /** What a decision waits for; null where it needs no answer, or there was none a moment ago. */
  vouched(): Promise<void> | null {
    if (!this.#needed() || this.#within(false, ASK_AGAIN_MS)) return null;
    this.#asking ??= this.#ask()
      .then((heard) => void (this.#answered = { heard, at: this.#ticks() }))
      .finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** One that listens is on the roster, whatever was written down before. */
  #needed(): boolean {
    return this.#following?.state !== 'live' && isUnmissed(this.#copy);
  }

  #within(heard: boolean, ms: number): boolean {
    return this.#answered?.heard === heard && this.#ticks() - this.#answered.at < ms * 1000;
  }
}
