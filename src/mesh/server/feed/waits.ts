/** Waits with a deadline, ended by an event or by the server's tick: nothing here owns a timer. */
import type { ServerClock } from '../http/exchange.js';

interface Wait {
  readonly until: number;
  readonly ready: () => boolean;
  readonly done: () => void;
}

/** Waiting with an end, which the end of the server ends as well. */
export class Waits {
  readonly #clock: ServerClock;
  readonly #open = new Set<Wait>();

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Resolves when `ready` says so at a check, or after `ms`. */
  for(ready: () => boolean, ms: number): Promise<void> {
    if (ms <= 0 || ready()) return Promise.resolve();
    return new Promise((done) => this.#open.add({ until: this.#clock.up() + ms, ready, done }));
  }

  /** Asks every wait whether it is over. */
  check(): void {
    if (this.#open.size === 0) return;
    const now = this.#clock.up();
    for (const wait of this.#open) {
      if (now < wait.until && !wait.ready()) continue;
      this.#open.delete(wait);
      wait.done();
    }
  }

  /** Ends every wait now. */
  release(): void {
    for (const wait of this.#open) wait.done();
    this.#open.clear();
  }
}
