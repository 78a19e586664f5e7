/** A part of a call that closing does not wait for, such as a person. */
export type Besides = <T>(part: () => Promise<T>) => Promise<T>;

interface Call {
  isBeside: boolean;
  /** Told when it is over, or waits for what is beside it. */
  readonly waiting: (() => void)[];
}

/** Calls that closing waits for: a key that is forgotten or a state that is closed between their steps would make a false no of them. */
export class UnderWay {
  readonly #calls = new Set<Call>();

  async during<T>(work: (besides: Besides) => Promise<T>): Promise<T> {
    const call: Call = { isBeside: false, waiting: [] };
    const tell = (): void => call.waiting.splice(0).forEach((each) => each());
    this.#calls.add(call);
    try {
      return await work(async (part) => {
        call.isBeside = true;
        tell();
        try {
          return await part();
        } finally {
          call.isBeside = false;
        }
      });
    } finally {
      this.#calls.delete(call);
      tell();
    }
  }

  /** Resolves when those are over that are under way now; others may begin meanwhile. */
  async idle(): Promise<void> {
    const waited = [...this.#calls].filter(({ isBeside }) => !isBeside);
    await Promise.all(waited.map(({ waiting }) => new Promise<void>((resolve) => void waiting.push(resolve))));
  }
}
