/** Copies home's log into this server's own store, in home's order and words, and passes home's proofs on. */
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { Failure } from '../../../app/failure.js';
import { isGenuine } from '../../../mesh/client/reading.js';
import { formatEventId } from '../../../mesh/log/head.js';
import { parseCheckpoint, type Checkpoint } from '../../../mesh/log/checkpoint.js';
import { signatureHolds, type SignatureCheck } from '../../../mesh/log/signing.js';
import { StoreTrouble, type MeshStore } from '../../../mesh/log/store.js';
import { HEARTBEAT_MS } from '../../../mesh/limits.js';
import { adoption, breakAfter } from '../../../mesh/regions/adoption.js';
import { readLogPage, type LogPage } from '../../../mesh/regions/documents.js';
import { Unreachable } from '../../http/mesh-client.js';
import type { HomeLine } from './home-line.js';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** When home was last heard is written down this often, ms: a promotion asks how long it is silent. */
export const NOTED_MS = 5_000;
/** The note that holds it: ms since the epoch. */
export const HOME_HEARD = 'home_heard';
/** The note that holds home's signed word of the greatest term: it seals a server that the mesh has left behind. */
const TERM_PROOF = 'term_proof';

/** What the copier tells the server that serves the copy. */
export interface CopyListener {
  /** Events were stored. Resolves when the streams have them. */
  stored(): Promise<void>;
  /** Home has signed the head as it is here now. `restarted`: by another process than before. */
  proven(proof: string, restarted: boolean): void;
  /** Home tells of a request for approval: a notice, JSON text of one line. */
  approval(notice: string): void;
  /** Something is wrong that goes away by itself, or that an operator must see to. */
  trouble(message: string): void;
  /** What was said by `trouble` is over: home proves its head again. */
  recovered(): void;
}

/** Home does not go on from what is held here. */
export class OtherHistory extends Error {
  readonly reason: string;
  /** The term that home signs; null where it signed none. */
  readonly term: number | null;
  constructor(reason: string, term: number | null) {
    super(`home tells another history than the one that is held here (${reason})`);
    this.name = 'OtherHistory';
    this.reason = reason;
    this.term = term;
  }
}

export class Copier {
  readonly #line: HomeLine;
  readonly #store: MeshStore;
  readonly #check: SignatureCheck;
  readonly #now: () => number;
  #stopped = false;
  #tables: string | null = null;
  #roster: string | null = null;
  #notedAt = 0;
  #wake: (() => void) | null = null;
  /** Notices of requests for approval that home had told when it was last asked. What was told before this server ran is old. */
  #notices = 10 ** 15 - 1;
  /** What the note holds; undefined until it was read. */
  #ofTerm: Checkpoint | null | undefined;

  constructor(line: HomeLine, store: MeshStore, check: SignatureCheck, now: () => number) {
    this.#line = line;
    this.#store = store;
    this.#check = check;
    this.#now = now;
    line.store = store;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Copies until home has nothing more; false where home cannot be reached. @throws OtherHistory, Failure */
  async catchUp(): Promise<boolean> {
    for (;;) {
      const page = await this.#page(0);
      if (page === null) return false;
      await this.#take(page);
      const { seq } = await this.#store.head();
      // A sealed home signs nothing, and its log does not grow any more.
      if (page.checkpoint === null ? page.copied.length === 0 : seq >= page.checkpoint.head) return true;
    }
  }

  /** Copies until it is stopped. @throws OtherHistory; Failure of the store */
  async run(listener: CopyListener): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    let behind = true;
    let troubled = false;
    while (!this.#stopped) {
      try {
        const page = await this.#page(behind ? 0 : HEARTBEAT_MS);
        if (this.#stopped) return;
        if (page === null) throw new Unreachable('no answer', false);
        behind = await this.#served(page, listener);
        pause = FIRST_PAUSE_MS;
        if (!troubled || page.proof === null) continue;
        troubled = false;
        listener.recovered();
      } catch (error) {
        const passing =
          error instanceof Unreachable ||
          error instanceof ShapeError ||
          error instanceof JsonError ||
          error instanceof StoreTrouble ||
          (error instanceof Failure && error.code === 'NETWORK');
        if (!passing) throw error;
        if (!troubled)
          listener.trouble(`${this.#line.home}: ${error.message}; what is held here is served without proof`);
        [troubled, behind] = [true, true];
        await this.#sleep(pause);
        pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
      }
    }
  }

  /** True when home has more. */
  async #served(page: LogPage, listener: CopyListener): Promise<boolean> {
    await this.#take(page);
    if (page.copied.length > 0) await listener.stored();
    for (const notice of page.approvals.notices) listener.approval(notice);
    const { checkpoint, proof } = page;
    if (checkpoint === null || proof === null) return false;
    const { seq } = await this.#store.head();
    const restarted = this.#line.boot !== null && this.#line.boot !== checkpoint.boot;
    this.#line.boot = checkpoint.boot;
    // A proof that speaks of events which are not here would look like a loss to those who listen.
    if (checkpoint.head === seq) listener.proven(proof, restarted);
    return checkpoint.head > seq;
  }

  async #page(waitMs: number): Promise<LogPage | null> {
    const { logId, term, seq } = await this.#store.head();
    const place = formatEventId(logId, Math.max(1, term), seq);
    // Home itself may be what the mesh has left: it hears of the term from each that knows it.
    const proof = this.#line.proof ?? encoded(await this.#proofOfTerm());
    try {
      const { status, body } = await this.#line.http.ask({
        method: 'GET',
        target: `/v1/mesh/region/log?after=${place}&wait=${waitMs}ms&notices=${this.#notices}`,
        headers: proof === null ? {} : { 'aip-proof': proof },
        timeoutMs: waitMs + 5_000,
        maxBytes: MAX_PAGE_BYTES,
      });
      if (status === 401 || status === 403) throw refusedKey(this.#line.home);
      if (status !== 200) throw new Unreachable(`it answered ${status}`, false);
      this.#line.heardAt = this.#now();
      return this.#verified(readLogPage(body));
    } catch (error) {
      if (error instanceof Unreachable) return null;
      throw error;
    }
  }

  #verified(page: LogPage): LogPage {
    for (const { event } of page.copied)
      if (!isGenuine(event, this.#check)) throw new ShapeError(`event ${event.seq} is not signed by this mesh`);
    const { checkpoint } = page;
    if (checkpoint !== null && !signatureHolds(checkpoint as unknown as JsonObject, this.#check))
      throw new ShapeError('the checkpoint is not signed by this mesh');
    return page;
  }

  async #take({ copied, checkpoint, reset, tables, roster, approvals }: LogPage): Promise<void> {
    const store = this.#store;
    this.#notices = approvals.count;
    if (reset !== null) throw new OtherHistory(reset, checkpoint?.term ?? null);
    if (copied.length > 0) {
      const head = await store.head();
      const broken = breakAfter(
        head,
        copied.map(({ event }) => event),
      );
      if (broken !== null) throw new OtherHistory(broken, checkpoint?.term ?? null);
      const term = Math.max(...copied.map(({ event }) => event.term));
      if (term > store.term) await store.raiseTerm(term);
      const { batch, judge } = adoption(copied);
      const outcomes = await store.append(batch, judge);
      if (outcomes.some((outcome) => outcome.kind !== 'done' || outcome.repeated))
        throw new Failure('STATE', 'Home has given one cmd_id twice, which no log of a mesh does.', {
          hint: 'copy the log again into an empty folder: aip mesh serve --follow <url> --data <dir>',
        });
    }
    if (checkpoint !== null && checkpoint.term > ((await this.#proofOfTerm())?.term ?? 1)) {
      await store.notes.put(TERM_PROOF, JSON.stringify(checkpoint));
      this.#ofTerm = checkpoint;
    }
    if (tables !== this.#tables && (await this.#line.fetchTables())) this.#tables = tables;
    if (roster !== this.#roster && roster !== null && (await this.#line.fetchRoster())) this.#roster = roster;
    const now = this.#now();
    if (checkpoint === null) return;
    this.#line.hasProven();
    if (now - this.#notedAt < NOTED_MS) return;
    this.#notedAt = now;
    await store.notes.put(HOME_HEARD, String(now));
  }

  async #proofOfTerm(): Promise<Checkpoint | null> {
    if (this.#ofTerm === undefined) {
      this.#ofTerm = await latestProof(this.#store);
    }
    return this.#ofTerm;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function encoded(checkpoint: Checkpoint | null): string | null {
  return checkpoint === null ? null : Buffer.from(JSON.stringify(checkpoint)).toString('base64url');
}

function refusedKey(home: string): Failure {
  return new Failure('NETWORK', `${home} does not take the API key of this region.`, {
    hint: 'at home: aip mesh key create --role region --label <name of the region>',
  });
}

/** What home signed under the greatest term that this store ever followed it in; null of a home that began no other history. */
async function latestProof({ notes }: MeshStore): Promise<Checkpoint | null> {
  const note = await notes.get(TERM_PROOF);
  return note === null ? null : parseCheckpoint(note);
}

/** The greatest term that home has proven to this store, also where nothing was written in it. */
export async function provenTerm(store: MeshStore): Promise<number> {
  return (await latestProof(store))?.term ?? 1;
}
