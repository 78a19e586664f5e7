/** Writes the records of a tail as they come, and knows when it has seen enough. */
import type { ExitCondition, LogRecord } from '../../app/logs/tail.js';
import { exitWatch } from '../../app/logs/tail.js';
import type { Cli } from '../cli.js';
import { renderEntry } from '../render/entry.js';
import { safeJson } from '../render/terminal/text.js';

export class TailWriter {
  readonly #cli: Cli;
  readonly #enough: ((record: LogRecord) => boolean) | null;
  readonly #started: number;
  #shown = 0;
  #failed = 0;
  #unreadable = 0;
  #firstUnreadable = 0;

  constructor(cli: Cli, exitOn: ExitCondition | null) {
    this.#cli = cli;
    this.#enough = exitOn === null ? null : exitWatch(exitOn);
    this.#started = cli.io.now();
    cli.onInterrupt(() => cli.note(this.summary()));
  }

  /** True once the exit condition is met; records after that one are not shown. */
  async write(records: readonly LogRecord[]): Promise<boolean> {
    const lines: string[] = [];
    let done = false;
    for (const record of records) {
      lines.push(this.#line(record));
      this.#shown += 1;
      if (record['status'] === 'failed') this.#failed += 1;
      done = this.#enough?.(record) === true;
      if (done) break;
    }
    if (lines.length > 0) await this.#cli.stream(lines.join('\n'));
    return done;
  }

  /** A line, by its number, that is no record. */
  unreadable(line: number): void {
    if (this.#unreadable === 0) this.#firstUnreadable = line;
    this.#unreadable += 1;
  }

  /** Says what could not be read, once; and to a person that nothing is nothing, not a command that hung up. */
  finish(): void {
    if (this.#cli.forPerson && this.#shown === 0) this.#cli.note('No entry matches.');
    if (this.#unreadable === 0) return;
    const lines = this.#unreadable === 1 ? '1 line is' : `${this.#unreadable} lines are`;
    this.#cli.warn(
      `${lines} no JSON object and left out; the first is line ${this.#firstUnreadable}.`,
      'unreadable_lines',
    );
  }

  summary(): string {
    const seconds = Math.max(0, Math.round((this.#cli.io.now() - this.#started) / 1000));
    const unreadable = this.#unreadable === 0 ? '' : `, ${this.#unreadable} unreadable`;
    return `${this.#shown} shown, ${this.#failed} failed${unreadable}, in ${seconds} s`;
  }

  #line(record: LogRecord): string {
    const { paint, width, forPerson } = this.#cli;
    return forPerson ? renderEntry(record, { paint, width: width ?? 120 }) : safeJson(record);
  }
}

/** The newest `n` of a stream. */
export class Newest<T> {
  readonly #n: number;
  readonly #kept: T[] = [];
  #next = 0;

  constructor(n: number) {
    this.#n = n;
  }

  add(item: T): void {
    if (this.#n === 0) return;
    if (this.#kept.length < this.#n) this.#kept.push(item);
    else this.#kept[this.#next] = item;
    this.#next = (this.#next + 1) % this.#n;
  }

  all(): T[] {
    return this.#kept.length < this.#n
      ? this.#kept
      : [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)];
  }
}
