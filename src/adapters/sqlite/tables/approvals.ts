import type { ActionApproval } from '../../../protocol/approvals/approval.js';
import { readActionApproval } from '../../../protocol/approvals/approval.js';
import type { MeshRequest, OpenedRequest, RequestRecord, ToldMesh } from '../../../app/ports/state.js';
import { utf8, type Database } from '../engine/database.js';

/** Made when the first request is raised: most states never hold one. */
const TABLES = `
CREATE TABLE IF NOT EXISTS approval_requests (
  id TEXT PRIMARY KEY,
  verifier TEXT NOT NULL,
  action_hash TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'spent', 'denied')),
  expires_at INTEGER NOT NULL,   -- ms; later than the document says while an approval is in force
  ttl_ms INTEGER NOT NULL,
  ended_at INTEGER,              -- ms
  spent_by TEXT,                 -- hash of the intent that ran
  document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS approval_requests_action ON approval_requests (action_hash);
CREATE INDEX IF NOT EXISTS approval_requests_status ON approval_requests (status, expires_at);
CREATE TABLE IF NOT EXISTS approval_answers (
  request_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (request_id, public_key)
) STRICT, WITHOUT ROWID;`;

/** Made when a request first goes to a mesh. */
const TOLD = `
CREATE TABLE IF NOT EXISTS approval_mesh (
  request_id TEXT PRIMARY KEY,
  stage TEXT NOT NULL CHECK (stage IN ('sent', 'ended', 'refused'))
) STRICT, WITHOUT ROWID;`;
/** A mesh that was not told within this time of how a request ended has forgotten the request, in ms. */
const MESH_KEPT_MS = 86_400_000;

const REQUEST = ['text', 'text', 'text', 'text', 'text', 'number', 'number', 'number', 'text'] as const;
const COLUMNS = `${['id', 'verifier', 'action_hash', 'agent_id', 'status'].map(utf8).join(', ')},
  expires_at, ttl_ms, coalesce(ended_at, -1), ${utf8('document')}`;
/** How long a request that is over is kept, in ms: longer than any denial stands. A spent id that is forgotten is unknown, and refused as well. */
const KEPT_MS = 60 * 86_400_000;

/** With `expires_at`, what the index finds: none ends after it expires, and the many that are over are not looked through. */
const ANY = "status IN ('open', 'spent', 'denied')";

type RequestRow = [string, string, string, string, RequestRecord['status'], number, number, number, string];

/** Requests for approval, and the answers to them. */
export class Approvals {
  readonly #database: Database;
  #there = false;

  constructor(database: Database) {
    this.#database = database;
  }

  find(id: string): RequestRecord | null {
    return this.#select('id = ?', [id])[0] ?? null;
  }

  ofAction(actionHash: string, now: number): RequestRecord | null {
    const [open] = this.#select("action_hash = ? AND status = 'open' AND expires_at > ?", [actionHash, now]);
    return (
      open ??
      this.#select("action_hash = ? AND status = 'denied' ORDER BY ended_at DESC LIMIT 1", [actionHash])[0] ??
      null
    );
  }

  pending(agentId: string, now: number): { readonly agent: number; readonly all: number } {
    if (!this.#exists()) return { agent: 0, all: 0 };
    const [agent, all] = this.#database
      .query(
        ['number', 'number'],
        "SELECT coalesce(sum(agent_id = ?), 0), count(*) FROM approval_requests WHERE status = 'open' AND expires_at > ?",
      )
      .first([agentId, now])!;
    return { agent, all };
  }

  list(which: 'open' | 'all', now: number): readonly RequestRecord[] {
    return which === 'open'
      ? this.#select("status = 'open' AND expires_at > ? ORDER BY rowid", [now])
      : this.#select('1 ORDER BY rowid', []);
  }

  forMesh(now: number): readonly MeshRequest[] {
    if (!this.#exists()) return [];
    const told = this.#hasTold() ? '(SELECT stage FROM approval_mesh WHERE request_id = id)' : 'NULL';
    return this.#database
      .query(
        ['text', 'text', 'text', 'text?', 'text', 'number'],
        `SELECT ${['id', 'verifier', 'status', 'spent_by', 'document'].map(utf8).join(', ')}, ${told} IS NULL FROM approval_requests
         WHERE ${ANY} AND expires_at > ?2
           AND ((status = 'open' AND expires_at > ?1 AND coalesce(${told}, 'sent') = 'sent')
             OR (status <> 'open' AND ended_at > ?2 AND ${told} = 'sent')) ORDER BY +rowid LIMIT 1000`,
      )
      .all([now, now - MESH_KEPT_MS])
      .map(([id, verifier, status, spentBy, document, isNew]) => ({
        id,
        verifier,
        isNew: isNew === 1,
        status: status as RequestRecord['status'],
        spentBy,
        text: document,
      }));
  }

  toldMesh(id: string, stage: ToldMesh): void {
    if (!this.#hasTold()) this.#database.exec(TOLD);
    // As if it had never been told.
    if (stage === 'lost') return this.#run('DELETE FROM approval_mesh WHERE request_id = ?', [id]);
    this.#run(
      `INSERT INTO approval_mesh (request_id, stage) VALUES (?, ?)
       ON CONFLICT (request_id) DO UPDATE SET stage = excluded.stage`,
      [id, stage],
    );
  }

  open({ id, verifier, actionHash, agentId, expiresAt, ttlMs, text: document }: OpenedRequest, now: number): void {
    if (!this.#exists()) this.#database.exec(TABLES);
    this.#there = true;
    const over = `${ANY} AND expires_at < ?`;
    this.#run(`DELETE FROM approval_answers WHERE request_id IN (SELECT id FROM approval_requests WHERE ${over})`, [
      now - KEPT_MS,
    ]);
    if (this.#hasTold())
      this.#run(`DELETE FROM approval_mesh WHERE request_id IN (SELECT id FROM approval_requests WHERE ${over})`, [
        now - KEPT_MS,
      ]);
    this.#run(`DELETE FROM approval_requests WHERE ${over}`, [now - KEPT_MS]);
    this.#run(
      `INSERT INTO approval_requests (id, verifier, action_hash, agent_id, status, expires_at, ttl_ms, document)
       VALUES (?, ?, ?, ?, 'open', ?, ?, ?)`,
      [id, verifier, actionHash, agentId, expiresAt, ttlMs, document],
    );
  }

  /** Forgets requests, with the answers to them, by the text of their documents; how many there were. */
  forget(isMeant: (document: string) => boolean): number {
    const meant = this.#select('1', []).filter(({ text }) => isMeant(text));
    for (const { id } of meant) {
      this.#run('DELETE FROM approval_answers WHERE request_id = ?', [id]);
      if (this.#hasTold()) this.#run('DELETE FROM approval_mesh WHERE request_id = ?', [id]);
      this.#run('DELETE FROM approval_requests WHERE id = ?', [id]);
    }
    return meant.length;
  }

  spend(id: string, at: number, intentHash: string): void {
    if (this.find(id)?.status !== 'open') throw new Error('an approval was spent twice');
    this.#run("UPDATE approval_requests SET status = 'spent', ended_at = ?, spent_by = ? WHERE id = ?", [
      at,
      intentHash,
      id,
    ]);
  }

  answer({ document, approvedUntil }: ActionApproval, publicKey: string, at: number): boolean {
    const id = document.request_id;
    const request = this.find(id);
    if (request === null || request.status !== 'open' || request.expiresAt <= at) return false;
    this.#run(
      `INSERT INTO approval_answers (request_id, public_key, document) VALUES (?, ?, ?)
       ON CONFLICT (request_id, public_key) DO UPDATE SET document = excluded.document`,
      [id, publicKey, JSON.stringify(document)],
    );
    if (document.decision === 'deny')
      this.#run("UPDATE approval_requests SET status = 'denied', ended_at = ? WHERE id = ?", [at, id]);
    else this.#run('UPDATE approval_requests SET expires_at = max(expires_at, ?) WHERE id = ?', [approvedUntil, id]);
    return true;
  }

  #select(where: string, values: readonly (string | number)[]): RequestRecord[] {
    if (!this.#exists()) return [];
    const rows = this.#database
      .query(REQUEST, `SELECT ${COLUMNS} FROM approval_requests WHERE ${where}`)
      .all([...values]);
    return (rows as unknown as RequestRow[]).map(
      ([id, verifier, actionHash, agentId, status, expiresAt, ttlMs, endedAt, document]) => ({
        id,
        verifier,
        actionHash,
        agentId,
        status,
        expiresAt,
        ttlMs,
        endedAt: endedAt === -1 ? null : endedAt,
        text: document,
        answers: this.#answers(id),
      }),
    );
  }

  #answers(id: string): ActionApproval[] {
    return this.#database
      .query(['text'], `SELECT ${utf8('document')} FROM approval_answers WHERE request_id = ?`)
      .all([id])
      .map(([document]) => readActionApproval(document));
  }

  #run(sql: string, values: readonly (string | number)[]): void {
    this.#database.statement(sql).run([...values]);
  }

  #hasTold(): boolean {
    const [count] = this.#database
      .query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'approval_mesh'")
      .first([])!;
    return count > 0;
  }

  #exists(): boolean {
    if (this.#there) return true;
    const [count] = this.#database
      .query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'approval_answers'")
      .first([])!;
    return (this.#there = count > 0);
  }
}
