import { utf8, type Database } from '../../engine/database.js';

const MOST_REMEMBERED = 1024;

/** The passports under which intents were judged, by their hash: what a proof shows long after they were replaced. */
export class JudgedPassports {
  readonly #put;
  readonly #find;
  readonly #holding;
  /** Those that this process wrote, so that most entries write none. */
  readonly #kept = new Set<string>();

  constructor(database: Database) {
    this.#put = database.statement('INSERT INTO judged_passports (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#find = database.query(['text'], `SELECT ${utf8('text')} FROM judged_passports WHERE hash = ?`);
    this.#holding = database.query(['number'], 'SELECT 1 FROM judged_passports WHERE instr(text, ?) > 0 LIMIT 1');
  }

  /** Inside a write transaction. */
  keep(hash: string, document: string): void {
    if (this.#kept.has(hash)) return;
    this.#put.run([hash, document]);
    if (this.#kept.size >= MOST_REMEMBERED) this.#kept.clear();
    this.#kept.add(hash);
  }

  /** After a rollback. */
  forget(): void {
    this.#kept.clear();
  }

  /** Whether one of them has this text as a value: an id, or a key. */
  hold(text: string): boolean {
    return this.#holding.first([JSON.stringify(text)]) !== undefined;
  }

  /** Its RFC 8785 text; null for one that was never judged under here. */
  find(hash: string): string | null {
    return this.#find.first([hash])?.[0] ?? null;
  }
}
