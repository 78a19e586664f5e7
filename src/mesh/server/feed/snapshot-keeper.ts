/**
 * The snapshot, made in slices and kept: a million subjects would hold everybody up for seconds, so between two slices the
 * server does what else is due, and a later snapshot rewrites only what events have touched.
 */
import { parseEvent } from '../../log/event.js';
import type { Head } from '../../log/head.js';
import { PAGE_EVENTS } from '../../limits.js';
import { passportLine, readSnapshotLines, SnapshotFrame, snapshotLine } from '../../log/snapshot.js';
import type { MeshSigner } from '../../log/signing.js';
import { nextStanding, type Standing } from '../../standing.js';
import { readByFirstVersion } from '../../subject.js';
import type { MeshStore } from '../../log/store.js';

/** Subjects in a piece: what one event makes write again. */
const PIECE_SUBJECTS = 64;
/** Subjects read, and pieces hashed, before others get their turn: a few ms of work each. */
const READ_AT_ONCE = 256;
const HASHED_AT_ONCE = 64;

/** Subjects in ascending order, from the last subject of the piece before to the first of the next one. */
interface Piece {
  readonly first: string;
  readonly count: number;
  /** Their lines; as objects they would take as much memory once more. */
  readonly bytes: Uint8Array;
}

/** The newest snapshot, made once for all who ask. */
export class SnapshotKeeper {
  readonly #store: MeshStore;
  readonly #sign: MeshSigner;
  /** Resolves when others had their turn. */
  readonly #pause: () => Promise<void>;
  #pieces: Piece[] | null = null;
  /** The log as far as the pieces tell it. */
  #head: Head;

  constructor(store: MeshStore, sign: MeshSigner, pause: () => Promise<void>) {
    this.#store = store;
    this.#sign = sign;
    this.#pause = pause;
    this.#head = { logId: store.logId, term: 0, seq: 0, hash: '' };
  }

  /** The snapshot of now, in pieces that together are its text. Not to be called again before it resolved. */
  async make(time: string, version: 1 | 2): Promise<{ readonly seq: number; readonly pieces: readonly Uint8Array[] }> {
    if (this.#pieces === null) {
      const head = await this.#store.head();
      this.#pieces = await this.#readAll();
      this.#head = head;
    }
    // As far as the log goes now, and no further: on a busy mesh it would go on for ever.
    await this.#catchUp((await this.#store.head()).seq);
    const head = this.#head;
    const pieces = version === 1 ? await this.#forFirst(this.#pieces) : [...this.#pieces];
    const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
    const marks = version === 1 ? null : await this.#store.passports.marks();
    const frame = new SnapshotFrame(head, time, count, marks?.length ?? null);
    for (const [i, piece] of pieces.entries()) {
      frame.add(piece.bytes);
      if (i % HASHED_AT_ONCE === HASHED_AT_ONCE - 1) await this.#pause();
    }
    const bodies = pieces.map((piece) => piece.bytes);
    if (marks !== null && marks.length > 0) {
      // One that is newer than the head is told again by its event, and stays the same.
      const lines = Buffer.from(marks.map(passportLine).join(''));
      frame.add(lines);
      bodies.push(lines);
    }
    return { seq: head.seq, pieces: [frame.header, ...bodies, await frame.trailer(this.#sign)] };
  }

  /** The first version stops at a subject that it cannot read: it is told of those that it knows. */
  async #forFirst(pieces: readonly Piece[]): Promise<Piece[]> {
    const told: Piece[] = [];
    for (const [i, piece] of pieces.entries()) {
      const standings = standingsOf(piece);
      const known = standings.filter(({ subject }) => readByFirstVersion(subject));
      told.push(...(known.length === standings.length ? [piece] : split(known)));
      if (i % HASHED_AT_ONCE === HASHED_AT_ONCE - 1) await this.#pause();
    }
    return told;
  }

  /** Every subject, page by page: those that change in the meantime are put right by the events after the head. */
  async #readAll(): Promise<Piece[]> {
    const pieces: Piece[] = [];
    for (let after: string | null = null; ;) {
      const page = await this.#store.standings(after, READ_AT_ONCE);
      if (page.length === 0) return pieces;
      after = page[page.length - 1]!.subject;
      pieces.push(...split(page));
      await this.#pause();
    }
  }

  async #catchUp(seq: number): Promise<void> {
    while (this.#head.seq < seq) {
      const records = await this.#store.read(this.#head.seq, Math.min(PAGE_EVENTS, seq - this.#head.seq));
      const last = records[records.length - 1];
      if (last === undefined) throw new Error(`the store lost the events after ${this.#head.seq}`);
      const pieces = this.#pieces!;
      const touched = new Map<number, Map<string, Standing>>();
      for (const { text } of records) {
        const event = parseEvent(text);
        // Passports are no standings.
        if (event.type === 'passport') continue;
        const at = placeOf(pieces, event.agent_id);
        let standings = touched.get(at);
        if (standings === undefined) {
          standings = new Map(standingsOf(pieces[at]).map((standing) => [standing.subject, standing]));
          touched.set(at, standings);
          await this.#pause();
        }
        const before = standings.get(event.agent_id) ?? null;
        // A page that was read after this event tells of it already.
        if (before === null || before.seq < event.seq) standings.set(event.agent_id, nextStanding(before, event));
      }
      // From the end, so that a piece that is split moves no other one that is still to come.
      for (const at of [...touched.keys()].sort((a, b) => b - a)) {
        pieces.splice(at, 1, ...split([...touched.get(at)!.values()].sort(bySubject)));
        await this.#pause();
      }
      this.#head = { logId: this.#store.logId, term: last.term, seq: last.seq, hash: last.hash };
    }
  }
}

/** Sorted standings as one piece, or as several when one would be much too large. */
function split(standings: readonly Standing[]): Piece[] {
  const size = standings.length <= 2 * PIECE_SUBJECTS ? standings.length : PIECE_SUBJECTS;
  const pieces: Piece[] = [];
  for (let i = 0; i < standings.length; i += size) {
    const some = standings.slice(i, i + size);
    pieces.push({ first: some[0]!.subject, count: some.length, bytes: Buffer.from(some.map(snapshotLine).join('')) });
  }
  return pieces;
}

function standingsOf(piece: Piece | undefined): Standing[] {
  if (piece === undefined) return [];
  const text = Buffer.from(piece.bytes).toString();
  return readSnapshotLines(text, 0, text.length);
}

/** The last piece that begins at or before `subject`; the first one, when none does. */
function placeOf(pieces: readonly Piece[], subject: string): number {
  let low = 0;
  let high = pieces.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.first <= subject) low = middle;
    else high = middle;
  }
  return low;
}

function bySubject(a: Standing, b: Standing): number {
  return a.subject < b.subject ? -1 : 1;
}
