/** Whose question goes to the mesh's key next: commands and heartbeats first, then the API keys in turns, and nobody who has gone. */
import type { SignatureUse } from '../../../mesh/log/signing.js';

/** Questions under way at once: a batch of commands is signed side by side, and no service is run over. */
const AT_ONCE = 8;
/** Places among them that only commands and heartbeats take. */
const KEPT_FREE = 2;
/** Questions that wait, of commands and of others each; one more is refused. */
const MAX_WAITING = 1024;
/** Questions of one API key that wait. */
const MAX_OF_KEY = 256;

interface Waiting {
  readonly use: SignatureUse;
  begin(): void;
  refuse(error: Error): void;
}

/** Turns at a key that is asked elsewhere. */
export class SigningTurns {
  #running = 0;
  readonly #first: Waiting[] = [];
  /** By API key, the one whose turn is next at the front; none of them is empty. */
  readonly #others = new Map<string, Waiting[]>();
  #othersWaiting = 0;

  /** Resolves when the question may be asked; `end` is then called after it. Rejects where it is not to be asked any more, or too many wait. */
  take(use: SignatureUse): Promise<void> {
    return new Promise((begin, refuse) => {
      this.#add({ use, begin, refuse });
      this.#next();
    });
  }

  /** A question was answered, or failed. */
  end(): void {
    this.#running--;
    this.#next();
  }

  #add(waiting: Waiting): void {
    if (waiting.use.isFirst === true) {
      if (this.#first.length >= MAX_WAITING) waiting.refuse(tooMany());
      else this.#first.push(waiting);
      return;
    }
    const { keyId = '' } = waiting.use;
    if ((this.#others.get(keyId)?.length ?? 0) >= MAX_OF_KEY || this.#othersWaiting >= MAX_WAITING) this.#dropGone();
    const line = this.#others.get(keyId) ?? [];
    if (line.length >= MAX_OF_KEY || this.#othersWaiting >= MAX_WAITING) return waiting.refuse(tooMany());
    line.push(waiting);
    this.#othersWaiting++;
    this.#others.set(keyId, line);
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const waiting = this.#first.shift() ?? (this.#running < AT_ONCE - KEPT_FREE ? this.#other() : undefined);
      if (waiting === undefined) return;
      if (waiting.use.isOver?.() === true) {
        waiting.refuse(gone());
        continue;
      }
      this.#running++;
      waiting.begin();
    }
  }

  /** The next of the key whose turn it is, which then goes to the end. */
  #other(): Waiting | undefined {
    for (const [keyId, line] of this.#others) {
      this.#others.delete(keyId);
      const waiting = line.shift();
      this.#othersWaiting--;
      if (line.length > 0) this.#others.set(keyId, line);
      return waiting;
    }
    return undefined;
  }

  #dropGone(): void {
    for (const [keyId, line] of this.#others) {
      const [over, left] = [line.filter(isOver), line.filter((each) => !isOver(each))];
      for (const each of over) each.refuse(gone());
      this.#othersWaiting -= over.length;
      if (left.length === 0) this.#others.delete(keyId);
      else this.#others.set(keyId, left);
    }
  }
}

function isOver({ use }: Waiting): boolean {
  return use.isOver?.() === true;
}

function gone(): Error {
  return new Error('nobody waits for this signature any more');
}

function tooMany(): Error {
  return new Error('too many questions wait for the key of the mesh');
}
