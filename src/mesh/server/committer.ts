/** Group commit: proposals that arrive while the disk is busy share the next transaction, and so its one flush. */
import { Refused, type MeshRefusal } from '../refusal.js';
import { judgeWith, type Proposal } from '../ruling.js';
import { COMMAND_USE, type MeshSigner, type Signer } from '../log/signing.js';
import { StoreTrouble, type MeshStore, type OrderResult } from '../log/store.js';
import type { ServerClock } from './http/exchange.js';

/** Most proposals in one transaction: bounds how long the first of them waits for the last. */
const MAX_BATCH = 256;
const MAX_QUEUE = 20_000;
/** How often a batch is signed anew because another server wrote meanwhile. */
const MAX_ROUNDS = 8;
/** Stands where a signature will be; never written. */
const NOT_YET = '0'.repeat(128);

/** Why a proposal may not be written any more; null while it may. */
export interface Objections {
  /** Asked in the moment of writing, when everything is signed. */
  readonly refused: () => MeshRefusal | null;
  /** What the store has to be asked for; anew whenever there was something to wait for. */
  readonly refusedByStore?: () => Promise<MeshRefusal | null>;
}

interface Pending extends Objections {
  readonly proposal: Proposal;
  resolve(outcome: OrderResult): void;
  reject(error: unknown): void;
}

/** What a committer works with. */
export interface CommitterParts {
  readonly store: MeshStore;
  readonly clock: ServerClock;
  readonly sign: MeshSigner;
  /** Runs its work after the input that is ready now was read. */
  readonly soon: (work: () => void) => void;
  readonly onFailure: (error: unknown) => void;
  /**
   * Why nothing may be written any more; null while it may. Asked when everything is signed: a command that waited for the key may have been
   * overtaken by a seal.
   */
  readonly closed: () => Refused | null;
}

/** Writes orders in batches, one at a time, and answers when they are durable. */
export class Committer {
  readonly #parts: CommitterParts;
  #queue: Pending[] = [];
  #scheduled = false;
  #broken = false;
  commits = 0;
  appended = 0;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Resolves after the durable commit. While it waits for others and for the key of the mesh, its API key may be revoked, or the key that
   * signed its passport be registered no more.
   */
  submit(proposal: Proposal, objections: Objections): Promise<OrderResult> {
    if (this.#broken) throw new Refused('STORE_FAILED', 'The store failed; this server is ending.');
    if (this.#queue.length >= MAX_QUEUE) throw new Refused('BUSY', 'Too many commands are waiting for the disk.');
    return new Promise((resolve, reject) => {
      this.#queue.push({ proposal, ...objections, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.soon(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, MAX_BATCH);
    try {
      const outcomes = await this.#append(batch);
      this.commits++;
      batch.forEach((each, i) => {
        const outcome = outcomes[i]!;
        if (outcome.kind === 'done' && !outcome.repeated) this.appended++;
        each.resolve(outcome);
      });
    } catch (error) {
      if (error instanceof StoreTrouble || error instanceof Refused) {
        for (const each of batch) each.reject(error instanceof Refused ? error : troubled(error));
        this.#scheduled = false;
        if (this.#queue.length > 0) this.#schedule();
        return;
      }
      // After a failed flush nothing that follows proves anything: no answer, and no further commit.
      this.#broken = true;
      this.#parts.onFailure(error);
      const refused = new Refused('STORE_FAILED', 'The store failed; whether the command was kept is unknown.');
      for (const each of [...batch, ...this.#queue]) each.reject(refused);
      this.#queue = [];
      return;
    }
    this.#scheduled = false;
    if (this.#queue.length > 0) this.#schedule();
  }

  /**
   * No transaction is held while a key is asked elsewhere: the batch is judged to learn what is to be signed, all of it is asked for at
   * once, and the batch is judged again, which comes to the same words unless the log went on meanwhile.
   */
  async #append(batch: readonly Pending[]): Promise<readonly OrderResult[]> {
    const now = this.#parts.clock.wall();
    const signatures = new Map<string, string>();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const asked = new Map<string, Promise<string>>();
      const sign: Signer = (text) => {
        const known = signatures.get(text);
        if (known !== undefined) return known;
        const signature = this.#parts.sign(text, COMMAND_USE);
        if (typeof signature === 'string') return signature;
        // Where the store fails first, no caller awaits the signature.
        signature.catch(() => undefined);
        asked.set(text, signature);
        return NOT_YET;
      };
      const refusals = new Map<Pending, MeshRefusal | null>();
      for (const each of batch) refusals.set(each, each.refused() ?? (await objectionOf(each)));
      const live = batch.filter((each) => refusals.get(each) === null);
      try {
        const proposals = live.map(({ proposal }) => proposal);
        const outcomes = await this.#parts.store.append(proposals, judgeWith(now, sign), () => {
          if (asked.size > 0 || live.some(({ refused }) => refused() !== null)) throw new NotYet();
          const closed = this.#parts.closed();
          if (closed !== null) throw closed;
        });
        return batch.map((each) => {
          const refusal = refusals.get(each)!;
          return refusal === null ? outcomes[live.indexOf(each)]! : { kind: 'refused', refusal };
        });
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
      }
      await Promise.all([...asked].map(async ([text, signature]) => signatures.set(text, await signature)));
    }
    throw new StoreTrouble('unavailable', 'Other servers wrote faster than the key of the mesh signs.');
  }
}

/** A store that does not say ends this proposal alone: a deny beside it does not depend on that. */
async function objectionOf({ refusedByStore }: Pending): Promise<MeshRefusal | null> {
  try {
    return (await refusedByStore?.()) ?? null;
  } catch (error) {
    if (error instanceof StoreTrouble) return troubled(error).refusal;
    throw error;
  }
}

/** The batch was judged, and signatures are still to come, or one of its proposals may not be written any more. */
class NotYet extends Error {}

/** What the giver of a command is told where the store did not answer. */
export function troubled({ kind }: StoreTrouble): Refused {
  if (kind === 'unsigned')
    return new Refused('STORE_UNAVAILABLE', 'The key of the mesh gives no signature now: ask again.');
  return kind === 'unavailable'
    ? new Refused('STORE_UNAVAILABLE', 'The store does not answer now. Nothing was written: ask again.')
    : new Refused('IN_DOUBT', 'Whether the command was kept is unknown: give it again under the same cmd_id.');
}
