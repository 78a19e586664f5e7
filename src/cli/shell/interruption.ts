/** The process was asked to stop, by a signal or by Ctrl-C at a question. */
export class Interrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: 130 | 143) {
    super('interrupted');
    this.name = 'Interrupted';
    this.exitCode = exitCode;
  }
}

type Watcher = (reason: Interrupted) => void;

/** Whether this process was told to stop; it is told once. */
export class Interruption {
  #reason: Interrupted | null = null;
  #controller: AbortController | null = null;
  readonly #watchers = new Set<Watcher>();

  /** Null until it is told. */
  get reason(): Interrupted | null {
    return this.#reason;
  }

  /** @throws Interrupted where it was told */
  throwIfTold(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** Aborted with the reason. Made when it is asked for: node needs longer to make one and to listen to it than to verify a signature. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Tells `watcher`, also where it was told before; gives what ends that. */
  watch(watcher: Watcher): () => void {
    if (this.#reason === null) this.#watchers.add(watcher);
    else watcher(this.#reason);
    return () => void this.#watchers.delete(watcher);
  }

  tell(reason: Interrupted): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const watcher of this.#watchers) watcher(reason);
    this.#watchers.clear();
  }
}
