/** Writes the records of a tail as they come, and knows when it has seen enough. */
import { Failure } from '../../app/failure.js';
import type { JsonRecord, ShownRecord } from '../../app/logs/foreign-records.js';
import { exitWatch, type ExitCondition, type LogFilter } from '../../app/logs/tail.js';
import { renderEntry } from '../render/entry.js';
import { counted, safeJson, safeText } from '../render/terminal/text.js';
import type { Output } from '../output.js';
import type { Interruptible, Surroundings } from '../io.js';

/** Which records are shown. */
export interface TailRequest {
  readonly filter: LogFilter;
  /** The newest so many that match; null for all. */
  readonly last: number | null;
  readonly follow: boolean;
}

/** What the writer needs of a command. */
type Scene = Output & Surroundings & Interruptible;

export class TailWriter {
  readonly #cli: Scene;
  readonly #enough: ((record: JsonRecord) => boolean) | null;
  /** Whether it is asked how records ended, by a filter or an exit condition. */
  readonly #asksOutcome: boolean;
  readonly #exitsOnFailed: boolean;
  readonly #started: number;
  #shown = 0;
  #failed = 0;
  #unreadable = 0;
  #firstUnreadable = 0;
  /** How the first unreadable line begins: a file that is one JSON array is told by it. */
  #unreadableStart = '';
  #read = 0;
  #told = 0;
  #timeless = 0;
  #firstTimeless = 0;

  /** @param byStatus records are chosen by how they ended. */
  constructor(cli: Scene, exitOn: ExitCondition | null, byStatus = false) {
    this.#cli = cli;
    this.#enough = exitOn === null ? null : exitWatch(exitOn);
    this.#exitsOnFailed = exitOn?.on === 'failed';
    this.#asksOutcome = byStatus || this.#exitsOnFailed;
    this.#started = cli.io.now();
    cli.onInterrupt(() => cli.note(this.summary()));
  }

  /** True once the exit condition is met; records after that one are not shown. */
  async write(records: readonly JsonRecord[]): Promise<boolean> {
    return this.writeShown(records.map((record) => ({ record, text: null })));
  }

  /** The same for records that came as lines, which are printed as they were written. */
  async writeShown(records: readonly ShownRecord[]): Promise<boolean> {
    const lines: string[] = [];
    let done = false;
    for (const one of records) {
      lines.push(this.#line(one));
      this.#shown += 1;
      if (one.record['status'] === 'failed') this.#failed += 1;
      done = this.#enough?.(one.record) === true;
      if (done) break;
    }
    if (lines.length > 0) await this.#cli.stream(lines.join('\n'));
    return done;
  }

  /**
   * A line of a file was a record, whatever the filter says of it.
   * @param told it says how it ended.
   */
  read(told: boolean): void {
    this.#read += 1;
    if (told) this.#told += 1;
  }

  /**
   * A line, by its number, that holds no record.
   * @param now true says the first one at once: what is followed has no end at which to say it.
   */
  unreadable(line: number, text: string | null, now: boolean): void {
    if (this.#unreadable === 0) {
      this.#firstUnreadable = line;
      this.#unreadableStart = (text ?? '').trimStart().slice(0, 1);
      if (now) this.#cli.warn(`Line ${line} is no JSON object and left out.`, 'unreadable_lines');
    }
    this.#unreadable += 1;
  }

  /** A record, by its line, that --since or --until cannot place. */
  timeless(line: number): void {
    if (this.#timeless === 0) this.#firstTimeless = line;
    this.#timeless += 1;
  }

  /**
   * Says what could not be read, once; and to a person that nothing is nothing, not a command that hung up.
   * @param met the exit condition was met.
   * @param alsoIn the command that shows the log of the fleet, for one of this machine that had nothing.
   * @returns the exit code: what was not understood is never a yes to a script that waits for a refusal.
   * @throws Failure UNREADABLE where not one line could be read.
   */
  finish(met: boolean, alsoIn: string | null = null): number {
    if (this.#cli.forPerson && this.#shown === 0 && this.#unreadable === 0)
      this.#cli.note(alsoIn === null ? 'No entry matches.' : `No entry here matches. Of the fleet:\n  ${alsoIn}`);
    if (this.#unreadable > 0) {
      const lines = counted(this.#unreadable, 'line is', 'lines are');
      this.#cli.warn(
        `${lines} no JSON object and left out; the first is line ${this.#firstUnreadable}.`,
        'unreadable_lines',
      );
    }
    if (this.#timeless > 0) {
      const records = counted(this.#timeless, 'record has', 'records have');
      this.#cli.warn(
        `${records} no time that can be read, and --since and --until left them out; the first is line ${this.#firstTimeless}.`,
        'no_time',
      );
    }
    // One that says nothing is a line about something else; where all say nothing, they say it in words that are not known.
    const untold = this.#asksOutcome && this.#read > 0 && this.#told === 0;
    if (untold) this.#cli.warn('Not one record says in a known word how it ended.', 'no_outcome');
    if (met || (untold && this.#exitsOnFailed)) return 15;
    if (this.#enough !== null && this.#unreadable + this.#timeless > 0) return 15;
    if (this.#unreadable > 0 && this.#read === 0) {
      throw new Failure('UNREADABLE', 'Not one line could be read as a JSON object.', {
        hint:
          this.#unreadableStart === '['
            ? "one object a line is read; for an array: jq -c '.[]' FILE | aip logs tail --file -"
            : 'one object a line is read; for objects over several lines: jq -c . FILE | aip logs tail --file -',
      });
    }
    return 0;
  }

  summary(): string {
    const seconds = Math.max(0, Math.round((this.#cli.io.now() - this.#started) / 1000));
    const unreadable = this.#unreadable === 0 ? '' : `, ${this.#unreadable} unreadable`;
    return `${this.#shown} shown, ${this.#failed} failed${unreadable}, in ${seconds} s`;
  }

  #line({ record, text }: ShownRecord): string {
    const { paint, width, forPerson } = this.#cli;
    if (forPerson) return renderEntry(record, { paint, width: width ?? 120 });
    return text === null ? safeJson(record) : safeText(text);
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
