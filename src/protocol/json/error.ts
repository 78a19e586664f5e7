/** The text is not one document. `reason` never quotes the text, which may hold key material. */
export class JsonError extends Error {
  readonly reason: string;
  /** Where it was noticed, in bytes from the start. */
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(`${reason} at byte ${offset}`);
    this.name = 'JsonError';
    this.reason = reason;
    this.offset = offset;
  }
}
