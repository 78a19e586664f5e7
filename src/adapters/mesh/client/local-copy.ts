/**
 * This machine's copy of the mesh's state, in the state file beside what it decides: verification reads the table `standing`,
 * which holds for each subject the strongest of what the mesh says, what must not be forgotten, and what was set here alone.
 */
import type { CopyChange, KeptCopy, MeshCopy } from '../../../app/ports/mesh.js';
import { Failure } from '../../../app/failure.js';
import type { Random } from '../../../app/ports/state.js';
import type { KeptDeny } from '../../../mesh/client/copy.js';
import { isSame, copyPlace, type CopyPlace } from '../../../mesh/client/place.js';
import { isHash, isLogId, type Head } from '../../../mesh/log/head.js';
import type { PassportMark } from '../../../mesh/passports.js';
import type { Standing } from '../../../mesh/standing.js';
import { sha256 } from '../../../protocol/hash.js';
import { fromHex, toHex } from '../../../protocol/hex.js';
import { ensureStateFile, openToRead } from '../../sqlite/file/create.js';
import { checkFormat } from '../../sqlite/file/format.js';
import { StandingMarks } from '../../sqlite/tables/passports/standing-marks.js';
import { Database, type Query, type Row } from '../../sqlite/engine/database.js';
import { isSound, keptOf, NOTES, COPY_SCHEMA, standingOf, STANDING, copyStatements, valuesOf } from './copy-tables.js';

/** Of the note that says that this copy was told of passports. */
const PASSPORTS = 'passports';
const BUSY_MS = 5_000;

/**
 * Opens the copy in the state file at `path`, making the file where there is none. `meshKey`: the pinned key, or null without a mesh.
 * `onlyReads`: a file that may not be written serves as well.
 */
export function openLocalCopy(path: string, meshKey: string | null, random: Random, onlyReads = false): LocalCopy {
  if (!onlyReads) ensureStateFile(path, random);
  const database = onlyReads ? openToRead(path, random, BUSY_MS) : new Database(path, BUSY_MS);
  try {
    if (!database.readOnly) checkFormat(database, path);
    return new LocalCopy(database, meshKey);
  } catch (error) {
    database.close();
    throw error;
  }
}

export class LocalCopy implements MeshCopy {
  readonly #database: Database;
  readonly #meshKey: string | null;
  readonly #sql: ReturnType<typeof copyStatements>;
  readonly #marks: StandingMarks;

  constructor(database: Database, meshKey: string | null) {
    this.#database = database;
    this.#meshKey = meshKey;
    const tables = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'local_standings'");
    if (tables.first([])![0] === 0)
      database.exec(database.readOnly ? COPY_SCHEMA.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE') : COPY_SCHEMA);
    const notes = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'mesh_notes'");
    if (notes.first([])![0] === 0)
      database.exec(database.readOnly ? NOTES.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE') : NOTES);
    database.exec('PRAGMA synchronous = NORMAL');
    this.#sql = copyStatements(database);
    this.#marks = new StandingMarks(database);
  }

  load(): KeptCopy | null {
    const row = this.#sql.copy.first([]);
    if (row === undefined || this.#meshKey === null) return null;
    const [meshKey, logId, term, seq, hash, rowsDigest, digest] = row;
    if (meshKey !== this.#meshKey || !isLogId(logId) || !isHash(hash)) return null;
    const position = { logId, term, seq, hash };
    const standings = this.#sql.meshAll.all([]).map(standingOf);
    const kept = this.#sql.keptAll.all([]).map(keptOf);
    const sound = [...standings, ...kept.map((deny) => deny.standing)].every(isSound);
    const rows = new RowsDigest();
    for (const standing of standings) rows.toggle(standing);
    if (!sound || rows.text !== rowsDigest || digestOf(meshKey, position, rowsDigest, kept) !== digest) return null;
    return { position, standings, kept, knowsPassports: this.note(PASSPORTS) !== null };
  }

  save(change: CopyChange): CopyPlace {
    const meshKey = this.#meshKey;
    if (meshKey === null) throw new Error('a copy without a mesh');
    return this.#database.transact(() => {
      const { from, whole } = change;
      // A first one replaces what is damaged, or of another mesh.
      const replaces = from === null && this.load() === null;
      const file = replaces ? null : this.#head();
      const place = copyPlace(file, change);
      if (place !== 'here' && file === null) return place;
      const touched = new Set<string>();
      for (const [subject] of this.#sql.keptSubjects.all([])) touched.add(subject);
      // Before the first copy of all they are what this machine was told when it gave the command.
      if (replaces && this.#sql.copy.first([]) !== undefined) this.#sql.forgetKept.run([]);
      let position = file;
      let rows = this.#sql.copy.first([])?.[5] ?? '';
      if (place === 'here') {
        rows = whole ? this.#putAll(change.standings) : this.#put(change.standings, rows);
        for (const { subject } of change.standings) touched.add(subject);
        position = change.position;
        this.#putPassports(change);
      }
      // Denies out of turn are kept wherever the copy is.
      for (const subject of this.#reconcile(change)) touched.add(subject);
      const lost = this.#cover(position!);
      const provenAt = this.#sql.proven.first([])?.[0] ?? null;
      const digest = digestOf(meshKey, position!, rows, this.#sql.keptAll.all([]).map(keptOf));
      const { logId, term, seq, hash } = position!;
      this.#sql.putCopy.run([meshKey, logId, term, seq, hash, rows, digest, provenAt]);
      if (place === 'here' && whole) this.#deriveAll(change.standings);
      else for (const subject of touched) this.#derive(subject);
      return lost ? 'elsewhere' : place;
    });
  }

  prove(wall: number, position: Head): Head | null {
    return this.#database.transact(() => {
      const place = this.#head();
      if (place !== null && isSame(place, position)) this.#sql.prove.run([checkedTime(Math.floor(wall))]);
      return place;
    });
  }

  provenAt(): number | null {
    const row = this.#sql.copy.first([]);
    const proven = row === undefined || row[0] !== this.#meshKey ? null : (this.#sql.proven.first([])?.[0] ?? null);
    return proven === null ? null : timeOf(proven);
  }

  setLocal(standing: Standing): void {
    this.#database.transact(() => {
      this.#sql.putLocal.run(valuesOf(standing));
      this.#derive(standing.subject);
    });
  }

  local(subject: string): Standing | null {
    return this.#row(this.#sql.local, subject);
  }

  kept(subject: string): Standing | null {
    return this.#row(this.#sql.keptForGood, subject);
  }

  anticipate({ standing, until }: KeptDeny): void {
    this.#database.transact(() => {
      const row = this.#sql.copy.first([]);
      const mine = row !== undefined && row[0] === this.#meshKey;
      if (mine && until !== null && row[3] >= until) return;
      const before = this.#sql.keptAll.all([]).map(keptOf);
      const known = before.find((deny) => deny.standing.subject === standing.subject);
      // One that only a reinstatement removes is not weakened.
      if (known !== undefined && known.until === null && weight(known.standing) >= weight(standing)) return;
      // As in the fold of the mesh, in whichever order two answers come here; a shorter suspension leaves the longer end.
      const isOvertaken = (known?.until ?? 0) > (until ?? Infinity);
      const [last, earlier] = isOvertaken ? [known!.standing, standing] : [standing, known?.standing ?? standing];
      const { suspendedUntil } = earlier.status === last.status && weight(earlier) > weight(last) ? earlier : last;
      const ends = isOvertaken || known?.until === null ? known!.until : until;
      this.#sql.putKept.run([...valuesOf({ ...last, suspendedUntil }), ends]);
      if (mine) {
        const [meshKey, logId, term, seq, hash, rowsDigest, digest] = row;
        const position = { logId, term, seq, hash };
        // Damage must stay visible: a digest that did not hold is not replaced by one that does.
        if (digestOf(meshKey, position, rowsDigest, before) === digest) {
          const after = this.#sql.keptAll.all([]).map(keptOf);
          const provenAt = this.#sql.proven.first([])?.[0] ?? null;
          const next = digestOf(meshKey, position, rowsDigest, after);
          this.#sql.putCopy.run([meshKey, logId, term, seq, hash, rowsDigest, next, provenAt]);
        }
      }
      this.#derive(standing.subject);
    });
  }

  stopped(): readonly Standing[] {
    return this.#sql.stoppedSubjects.all([]).flatMap(([subject]) => this.standing(subject) ?? []);
  }

  standing(subject: string): Standing | null {
    const { mesh, kept, local } = this.#sql;
    return strongest([this.#row(mesh, subject), this.#row(kept, subject), this.#row(local, subject)]);
  }

  note(name: string): string | null {
    return this.#sql.note.first([name])?.[0] ?? null;
  }

  setNote(name: string, value: string | null): void {
    if (this.#database.readOnly) return;
    if (value === null) this.#sql.dropNote.run([name]);
    else this.#sql.putNote.run([name, value]);
  }

  close(): void {
    this.#database.close();
  }

  /** How far the copy is; null where there is none. Fails when the machine has gone to another mesh. */
  #head(): Head | null {
    const row = this.#sql.copy.first([]);
    if (row === undefined) return null;
    const [meshKey, logId, term, seq, hash] = row;
    if (meshKey === this.#meshKey) return { logId, term, seq, hash };
    throw new Failure('STATE', "This machine has joined another mesh meanwhile; the copy is that one's now.", {
      hint: 'start the command again',
    });
  }

  /** Puts standings over those that are there; the digest of all rows. */
  #put(standings: readonly Standing[], digest: string): string {
    const rows = new RowsDigest(digest);
    for (const standing of standings) {
      const old = this.#row(this.#sql.mesh, standing.subject);
      if (old !== null) rows.toggle(old);
      rows.toggle(standing);
      this.#sql.putMesh.run(valuesOf(standing));
    }
    return rows.text;
  }

  #putAll(standings: readonly Standing[]): string {
    this.#sql.forgetMesh.run([]);
    const rows = new RowsDigest();
    for (const standing of standings) {
      rows.toggle(standing);
      this.#sql.putMesh.run(valuesOf(standing));
    }
    return rows.text;
  }

  /** Writes what this change does to the denies beside the fold, and leaves those that other processes have put there. */
  #reconcile({ keptBefore, kept }: CopyChange): string[] {
    const now = new Map(kept.map((deny) => [deny.standing.subject, deny]));
    const before = new Map(keptBefore.map((deny) => [deny.standing.subject, deny]));
    for (const { standing, until } of keptBefore)
      if (!now.has(standing.subject)) this.#sql.forgetOneKept.run([standing.subject, until]);
    const fresh = kept.filter((deny) => before.get(deny.standing.subject) !== deny);
    for (const { standing, until } of fresh) this.#sql.putKept.run([...valuesOf(standing), until]);
    return fresh.map(({ standing }) => standing.subject);
  }

  /**
   * Ends the denies that the fold has come to. One whose event the fold never heard of was acknowledged and lost by the mesh: it stays until
   * it is reinstated, and the answer is true, because the follower must know.
   */
  #cover({ seq }: Head): boolean {
    let lost = false;
    for (const [subject, until] of this.#sql.keptUntil.all([seq])) {
      if ((this.#row(this.#sql.mesh, subject)?.seq ?? 0) >= until) this.#sql.forgetOneKept.run([subject, until]);
      else {
        this.#sql.keepForGood.run([subject]);
        lost = true;
      }
    }
    return lost;
  }

  /** In the transaction of the events: from then on an older document is refused, whether the new one is here or not. */
  #putPassports({ passports, whole, tellsPassports }: CopyChange): void {
    if (whole && tellsPassports) {
      this.#sql.forgetMarks.run([]);
      this.#sql.forgetMeshFloors.run([]);
      this.#sql.putNote.run([PASSPORTS, '1']);
    }
    for (const { agent, serial, hash, seq } of passports) {
      this.#sql.dropMeshFloor.run([agent]);
      this.#sql.dropMark.run([agent]);
      if (serial === null || hash === null) continue;
      this.#sql.putMeshFloor.run([agent, serial, hash, Date.now()]);
      this.#sql.putMark.run([agent, serial, hash, seq]);
    }
  }

  passportMarks(): readonly PassportMark[] {
    return this.#sql.marks.all([]).map(markOf);
  }

  #row(query: Query<Row<typeof STANDING>>, subject: string): Standing | null {
    const row = query.first([subject]);
    return row === undefined ? null : standingOf(row);
  }

  #derive(subject: string): void {
    const standing = this.standing(subject);
    if (standing === null) {
      this.#sql.forgetDerived.run([subject]);
      this.#marks.drop(subject);
    } else {
      this.#sql.putDerived.run(valuesOf(standing).slice(0, 7));
      this.#marks.put(standing);
    }
  }

  #deriveAll(standings: readonly Standing[]): void {
    this.#sql.forgetAllDerived.run([]);
    this.#sql.deriveMesh.run([]);
    this.#marks.dropAll();
    for (const standing of standings) this.#marks.put(standing);
    for (const [subject] of this.#sql.besideMesh.all([])) this.#derive(subject);
  }
}

/** The one that denies most; what the mesh says, when none denies more. */
function strongest(standings: readonly (Standing | null)[]): Standing | null {
  let best: Standing | null = null;
  for (const standing of standings) {
    if (standing !== null && (best === null || weight(standing) > weight(best))) best = standing;
  }
  return best;
}

function weight({ status, suspendedUntil }: Standing): number {
  return status === 'revoked' ? Infinity : status === 'suspended' ? (suspendedUntil ?? Number.MAX_VALUE) : -1;
}

/** A digest of a set of standings that one standing more or less changes at little cost: the sum, bit by bit, of all hashes. */
class RowsDigest {
  readonly #sum: Uint8Array;

  constructor(text?: string) {
    this.#sum = (text === undefined ? null : fromHex(text)) ?? new Uint8Array(32);
  }

  get text(): string {
    return toHex(this.#sum);
  }

  toggle(standing: Standing): void {
    const hash = sha256(JSON.stringify(valuesOf(standing)));
    for (let i = 0; i < 32; i++) this.#sum[i]! ^= hash[i]!;
  }
}

function digestOf(meshKey: string, position: Head, rows: string, kept: readonly KeptDeny[]): string {
  const { logId, term, seq, hash } = position;
  const denies = kept.map(({ standing, until }) => [...valuesOf(standing), until]);
  denies.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return toHex(sha256(JSON.stringify([meshKey, logId, term, seq, hash, rows, denies])));
}

/** With the time's remainder in the last ten bits: a flipped byte must not make an old copy look new. */
const CHECK = 1021;

function checkedTime(ms: number): number {
  return ms * 1024 + (ms % CHECK);
}

function timeOf(checked: number): number | null {
  const ms = Math.floor(checked / 1024);
  return ms >= 0 && checked === checkedTime(ms) ? ms : null;
}

function markOf([agent, serial, hash, seq]: [string, number, string, number]): PassportMark {
  return { agent, serial, hash, seq };
}
