/**
 * The mesh store in PostgreSQL: any number of servers on one database. The judge runs here between reading and writing, so nothing is locked
 * across the network in the usual case; what was judged is written only where the head is still the one that it was judged by.
 */
import { Failure } from '../../../app/failure.js';
import type { Head } from '../../../mesh/log/head.js';
import {
  StoreTrouble,
  type KeyTable,
  type LogTable,
  type MeshStore,
  type OrderResult,
  type PaperTable,
} from '../../../mesh/log/store.js';
import type { Answer, EventRecord, Judge, Proposal } from '../../../mesh/ruling.js';
import type { Standing } from '../../../mesh/standing.js';
import type { Connection, PostgresRow } from '../connection.js';
import { DURABLY } from '../durably.js';
import { headOf, planned, standingOfRow, type BatchFacts, type MeshHeadRow, type StandingRow } from './append.js';
import { accountTables } from './accounts.js';
import { Lane, Taken, type LaneQueries } from './lane.js';
import { PostgresLogs } from './logs.js';
import { openedHead } from './opening.js';
import { requireSameLog, type KnownEvent } from './same-log.js';
import { FACTS, headWith, SCHEMA } from './schema.js';
import { passportTables, postgresPapers, postgresRest } from './tables.js';
import { Waking } from './waking.js';

/** An append may wait 2 s for the lock of the head row. */
const APPEND_MS = 4_000;
/** Longer than this no heartbeat waits for a proof. */
const PROOF_MS = 1_000;
const READ_MS = 3_000;
const LOGS_MS = 10_000;

export interface PostgresStoreOptions {
  /** Makes a connection in at most so many ms. */
  readonly connect: (withinMs: number) => Promise<Connection>;
  /** Names the log when the database is new: 32 hex digits. */
  readonly newLogId: () => string;
  /** Names this opening: its proofs are its own. */
  readonly node: string;
  /** Most bytes of shipped logs. */
  readonly logQuota?: number;
}

export class PostgresMeshStore implements MeshStore {
  readonly logId: string;
  readonly shared = true;
  readonly #node: string;
  #term: number;
  /** The last event that was told of. */
  #told: number;
  /** The last event that was read or written here: a log without it is not the one that it was. */
  #known: KnownEvent;
  readonly #writing: Lane;
  readonly #proving: Lane;
  readonly #reading: Lane;
  readonly #shipping: Lane;
  readonly #waking: Waking;
  readonly #listeners = new Set<() => void>();
  readonly keys: KeyTable;
  readonly nonces: MeshStore['nonces'];
  readonly members: MeshStore['members'];
  readonly notes: MeshStore['notes'];
  readonly passports: MeshStore['passports'];
  readonly principals: MeshStore['principals'];
  readonly papers: PaperTable;
  readonly logs: LogTable;
  readonly rest: MeshStore['rest'];
  readonly putRest: MeshStore['putRest'];

  private constructor({ connect, node, logQuota }: PostgresStoreOptions, writing: Lane, head: MeshHeadRow) {
    this.logId = head.log_id;
    this.#node = node;
    this.#term = head.term;
    this.#told = head.seq;
    this.#known = head;
    this.#writing = writing;
    this.#proving = new Lane(connect, PROOF_MS, false);
    this.#reading = new Lane(connect, READ_MS, false);
    this.#shipping = new Lane(connect, LOGS_MS, true);
    const accounts = accountTables(this.#reading, writing);
    this.keys = accounts.keys;
    this.nonces = accounts.nonces;
    this.members = accounts.members;
    this.notes = accounts.notes;
    const tables = passportTables(this.#reading, writing);
    this.passports = tables.passports;
    this.principals = tables.principals;
    this.papers = postgresPapers(this.#reading, writing);
    ({ rest: this.rest, putRest: this.putRest } = postgresRest(this.#reading, writing));
    this.logs = new PostgresLogs(this.#shipping, logQuota);
    this.#waking = new Waking(
      connect,
      (seq) => this.#noticed(seq),
      () => this.#look(),
    );
  }

  /** Opens the store, making its tables where the database has none. @throws Failure STATE; StoreTrouble where it does not answer */
  static async open(options: PostgresStoreOptions): Promise<PostgresMeshStore> {
    const writing = new Lane(options.connect, APPEND_MS, true);
    try {
      const head = await writing.run((held) => openedHead(held, options.newLogId));
      return new PostgresMeshStore(options, writing, head);
    } catch (error) {
      await writing.close();
      throw error;
    }
  }

  get term(): number {
    return this.#term;
  }

  async confirm(): Promise<Head> {
    const known = this.#known;
    const [row] = await this.#proving.run((held) =>
      held.query(
        `WITH proof AS (INSERT INTO ${SCHEMA}.proofs VALUES ($1, 1) ON CONFLICT (node) DO UPDATE SET n = proofs.n + 1 RETURNING n)
         SELECT ${headWith('$2')} AS head, (SELECT n FROM proof) AS n, ${DURABLY} FROM ${SCHEMA}.head h WHERE one`,
        [this.#node, known.seq],
      ),
    );
    const head = this.#checked(row?.['head'] as MeshHeadRow | undefined, known);
    if (head.sealed_by !== null) throw new StoreTrouble('unavailable', `The mesh is sealed by term ${head.sealed_by}.`);
    return headOf(head);
  }

  async raiseTerm(term: number): Promise<void> {
    const rows = await this.#writing.run((held) =>
      held.query(
        `UPDATE ${SCHEMA}.head SET term = $1, sealed_by = NULL WHERE one AND term < $1 RETURNING term, ${DURABLY}`,
        [term],
      ),
    );
    if (rows.length === 0) throw new RangeError('a new history has a greater term');
    this.#term = term;
  }

  async sealedBy(): Promise<number | null> {
    return (await this.#headRow()).sealed_by;
  }

  async seal(term: number): Promise<void> {
    await this.#writing.run((held) =>
      held.query(
        `UPDATE ${SCHEMA}.head SET sealed_by = greatest($1, coalesce(sealed_by, 0)) WHERE one AND term < $1 RETURNING ${DURABLY}`,
        [term],
      ),
    );
  }

  append(batch: readonly Proposal[], judge: Judge, beforeWriting?: () => void): Promise<readonly OrderResult[]> {
    return this.#writing.run(async (held) => {
      const facts = await this.#facts(held, batch);
      const first = planned(batch, judge, facts);
      beforeWriting?.();
      if (first.writes === null) return first.outcomes;
      if (await this.#write(held, first.writes)) return first.outcomes;
      return this.#appendLocked(held, batch, judge, beforeWriting);
    });
  }

  /** After one conflict the head row is held from the reading on, so that a server never starves beside busier ones. */
  async #appendLocked(
    held: LaneQueries,
    batch: readonly Proposal[],
    judge: Judge,
    beforeWriting?: () => void,
  ): Promise<readonly OrderResult[]> {
    // A server that is frozen here lets go of the row after a second.
    await held.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '1s'; SET LOCAL lock_timeout = '2s'`,
    );
    let plan: ReturnType<typeof planned>;
    try {
      await held.query(`SELECT ${SCHEMA}.lock_head()`);
      const facts = await this.#facts(held, batch);
      plan = planned(batch, judge, facts);
      beforeWriting?.();
      if (plan.writes !== null && !(await this.#write(held, plan.writes, false)))
        throw new StoreTrouble('unavailable', 'The log went on while its head was held.');
    } catch (error) {
      await held.query('ROLLBACK').catch(() => undefined);
      if (isTaken(error)) throw new StoreTrouble('unavailable', 'Another server was faster.', error);
      throw error;
    }
    await held.query('COMMIT');
    if (plan.writes !== null) this.#committed(plan.writes.events);
    return plan.outcomes;
  }

  async #facts(held: LaneQueries, batch: readonly Proposal[]): Promise<BatchFacts> {
    const subjects = [...new Set(batch.map(({ command }) => command.subject))];
    const nonces = batch.flatMap(({ nonce }) => (nonce === null ? [] : [nonce.value]));
    const known = this.#known;
    const [row] = await held.query(FACTS, [batch.map(({ command }) => command.cmdId), subjects, nonces, known.seq]);
    const facts = row?.['facts'] as BatchFacts;
    const head = this.#checked(facts.head, known);
    if (head.sealed_by !== null) throw new StoreTrouble('unavailable', `The mesh is sealed by term ${head.sealed_by}.`);
    return facts;
  }

  /** False where what it was judged by does not hold any more. */
  async #write(
    held: LaneQueries,
    writes: NonNullable<ReturnType<typeof planned>['writes']>,
    alone = true,
  ): Promise<boolean> {
    try {
      const [row] = await held.query(`SELECT ${SCHEMA}.append($1::jsonb) AS done, ${DURABLY}`, [
        JSON.stringify(writes),
      ]);
      if (row?.['done'] !== true) return false;
    } catch (error) {
      if (!alone || !isTaken(error)) throw error;
      return false;
    }
    if (alone) this.#committed(writes.events);
    return true;
  }

  async answers(cmdIds: readonly string[]): Promise<readonly Answer[]> {
    const rows = await this.#read(`SELECT body FROM ${SCHEMA}.answers WHERE cmd_id = ANY($1::text[])`, [cmdIds]);
    return rows.map((row) => JSON.parse(String(row['body'])) as Answer);
  }

  async read(after: number, limit: number): Promise<readonly EventRecord[]> {
    const rows = await this.#read(
      `SELECT seq, term, hash, body FROM ${SCHEMA}.events WHERE seq > $1 ORDER BY seq LIMIT $2`,
      [after, limit],
    );
    const records = rows.map(({ seq, term, hash, body }) => ({
      ...{ seq: Number(seq), term: Number(term) },
      ...{ hash: String(hash), text: String(body) },
    }));
    this.#learned(records.at(-1));
    return records;
  }

  async head(): Promise<Head> {
    return headOf(await this.#headRow());
  }

  async standing(subject: string): Promise<Standing | null> {
    const [row] = await this.#read(`SELECT * FROM ${SCHEMA}.subjects WHERE subject = $1`, [subject]);
    return row === undefined ? null : standingOfRow(row as unknown as StandingRow);
  }

  async snapshot(): Promise<{ head: Head; standings: readonly Standing[] }> {
    const known = this.#known;
    const [row] = await this.#read(
      `SELECT (SELECT ${headWith('$1')} FROM ${SCHEMA}.head h WHERE one) AS head,
              coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s)) FROM ${SCHEMA}.subjects s), '[]') AS standings`,
      [known.seq],
    );
    const standings = ((row?.['standings'] ?? []) as readonly StandingRow[]).map(standingOfRow);
    return { head: headOf(this.#checked(row?.['head'] as MeshHeadRow, known)), standings };
  }

  async standings(after: string | null, limit: number): Promise<readonly Standing[]> {
    const rows = await this.#read(`SELECT * FROM ${SCHEMA}.subjects WHERE subject > $1 ORDER BY subject LIMIT $2`, [
      after ?? '',
      limit,
    ]);
    return rows.map((row) => standingOfRow(row as unknown as StandingRow));
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async meshKey(): Promise<string | null> {
    return (await this.#headRow()).mesh_key;
  }

  async setMeshKey(publicKey: string): Promise<void> {
    const sql = `UPDATE ${SCHEMA}.head SET mesh_key = coalesce(mesh_key, $1) WHERE one RETURNING ${DURABLY}`;
    await this.#change(sql, [publicKey]);
    if ((await this.meshKey()) !== publicKey) throw new Failure('STATE', 'Another server has given this mesh its key.');
  }

  async health(): Promise<void> {
    await this.#headRow();
  }

  async close(): Promise<void> {
    await this.#waking.close();
    await Promise.all([this.#writing, this.#proving, this.#reading, this.#shipping].map((lane) => lane.close()));
  }

  #read(text: string, values: Parameters<LaneQueries['query']>[1] = []): Promise<readonly PostgresRow[]> {
    return this.#reading.run((held) => held.query(text, values));
  }

  #change(text: string, values: Parameters<LaneQueries['query']>[1]): Promise<readonly PostgresRow[]> {
    return this.#writing.run((held) => held.query(text, values));
  }

  async #headRow(): Promise<MeshHeadRow> {
    const known = this.#known;
    const [row] = await this.#read(`SELECT ${headWith('$1')} AS head FROM ${SCHEMA}.head h WHERE one`, [known.seq]);
    return this.#checked(row?.['head'] as MeshHeadRow | undefined, known);
  }

  #checked(found: MeshHeadRow | undefined, known: KnownEvent): MeshHeadRow {
    const head = requireSameLog(found, this.logId, known);
    // By an answer to an older question something would be learned that was not compared with what is known now.
    if (known === this.#known) this.#learned(head);
    this.#term = Math.max(this.#term, head.term);
    return head;
  }

  async #look(): Promise<void> {
    this.#noticed((await this.#headRow()).seq);
  }

  #committed(events: readonly EventRecord[]): void {
    const last = events.at(-1);
    this.#learned(last);
    if (last !== undefined) this.#noticed(last.seq);
  }

  #learned(event: KnownEvent | undefined): void {
    if (event !== undefined && event.seq > this.#known.seq) this.#known = { seq: event.seq, hash: event.hash };
  }

  /** Each commit wakes once, by the first news of it. */
  #noticed(seq: number): void {
    if (seq <= this.#told) return;
    this.#told = seq;
    for (const listener of [...this.#listeners]) queueMicrotask(listener);
  }
}

/** Where the connection itself sees a unique key that is taken, or, by the isolation that the database sets, a head that went on. */
function isTaken(error: unknown): boolean {
  return error instanceof Taken || ['23505', '40001'].includes(String((error as { sqlState?: unknown }).sqlState));
}
