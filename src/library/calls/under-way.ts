/** Calls that closing waits for: a key that is forgotten or a state that is closed between their steps would make a false no of them. */
export class UnderWay {
  #count = 0;
  readonly #idle: (() => void)[] = [];

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work();
    } finally {
      this.#over();
    }
  }

  /** A part of such a call that closing does not wait for, such as a person. */
  async besides<T>(work: () => Promise<T>): Promise<T> {
    this.#over();
    try {
      return await work();
    } finally {
      this.#count++;
    }
  }

  /** Resolves when none is under way. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  #over(): void {
    this.#count--;
    if (this.#count > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
