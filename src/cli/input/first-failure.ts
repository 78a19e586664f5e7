/** Ends a wait for what may never come, once something else has failed. */
export class FirstFailure {
  #failure: { readonly error: unknown } | null = null;
  #reject: (error: unknown) => void = () => undefined;

  is(error: unknown): void {
    this.#failure ??= { error };
    this.#reject(error);
  }

  /** Not `Promise.race`: a promise that lasts as long as the stream would hold all that was ever waited for. */
  orElse<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#failure !== null) reject(this.#failure.error);
    });
  }
}
