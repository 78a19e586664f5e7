import type { JsonRecord } from '../../app/logs/foreign-records.js';
import { timeAsWritten, recordTime } from '../../app/logs/foreign-times.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { isCounted } from '../../protocol/log/attribution.js';
import { tellsRevocation } from '../../protocol/log/told.js';
import { maskParams } from '../../protocol/log/secrets.js';
import { formatTime } from '../../protocol/time.js';
import { agentName } from './agent-name.js';
import type { Paint } from './terminal/paint.js';
import { clean, fit } from './terminal/text.js';
import { columnsOf } from './terminal/width.js';

export interface EntryLook {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

/** In fewer columns what was refused, and what, stands before who: the end of the line is what is cut, and 80 hold no code behind a usual name. */
export const NARROW_COLUMNS = 100;

/** One record on one line: when, what became of it, who, what, and the facts as far as there is room. */
export function renderEntry(record: JsonRecord, { paint, width }: EntryLook): string {
  const [word, colour] = verdict(record, paint);
  const narrow = width < NARROW_COLUMNS;
  const head = `${shortTime(record, narrow)}  `;
  if (record['type'] === 'interrupted') return renderInterrupted(record, head, paint, width);
  if (record['type'] === 'outcome' || record['type'] === 'erasure') return renderOther(record, head, paint, width);
  const subject = [agentName(record['agent_id']) ?? text(record['agent_id'] ?? '-'), text(record['action'] ?? '-')];
  const code = record['error_code'] == null ? [] : [text(record['error_code']), text(record['error_message'] ?? '')];
  const parts = narrow
    ? [...code.slice(0, 1), ...subject.toReversed(), ...code.slice(1), ...facts(record)]
    : [...subject, ...code, ...facts(record)];
  const rest = parts.filter((part) => part !== '').join('  ');
  const room = Math.max(8, width - columnsOf(head) - 10);
  return `${paint.dim(head)}${colour(word.padEnd(8))}  ${fit(rest, room)}`;
}

/** What became of an entry, or what was erased. */
function renderOther(record: JsonRecord, head: string, paint: Paint, width: number): string {
  const outcome = record['type'] === 'outcome';
  const word = text(outcome ? record['status'] : 'erased').slice(0, 8);
  const colour = word === 'ok' ? paint.green : word === 'error' ? paint.red : paint.dim;
  const of = text(outcome ? record['of'] : record['entries']);
  const facts = ['exit_code', 'duration_ms', 'detail', 'param', 'by'].flatMap((name) =>
    record[name] == null ? [] : [`${name}=${text(record[name])}`],
  );
  const claimed = record['claimed'] === true ? ['claimed'] : [];
  const rest = [agentName(record['agent_id']) ?? '-', `of ${of}`, ...claimed, ...facts].join('  ');
  return `${paint.dim(head)}${colour(word.padEnd(8))}  ${fit(rest, Math.max(8, width - columnsOf(head) - 10))}`;
}

/** A judgement that was never reported. */
function renderInterrupted(record: JsonRecord, head: string, paint: Paint, width: number): string {
  const facts = ['settled_as', 'settled_at', 'intent_hash'].map((name) => `${name}=${text(record[name] ?? '-')}`);
  const rest = [agentName(record['agent_id']) ?? '-', 'nobody was told', ...facts].join('  ');
  return `${paint.dim(head)}${paint.dim('INTERRUPTED')}  ${fit(rest, Math.max(8, width - columnsOf(head) - 13))}`;
}

function verdict(record: JsonRecord, paint: Paint): [string, (text: string) => string] {
  if (record['status'] === 'success') return ['ok', paint.green];
  if (record['status'] !== 'failed') return ['-', paint.dim];
  if (!isCounted(record)) return ['OBSERVED', paint.yellow];
  return [tellsRevocation(record) ? 'REVOKED' : 'REFUSED', (said) => paint.red(paint.bold(said))];
}

/** `2026-11-29T20:26:14.192Z` without year and milliseconds, for a narrow terminal. */
export function briefTime(time: string): string {
  return `${time.slice(5, 10)} ${time.slice(11, 19)}`;
}

/** Date and time in UTC with milliseconds, in few columns without year and milliseconds; as it was written where that cannot be read. */
function shortTime(record: JsonRecord, narrow: boolean): string {
  const at = recordTime(record);
  if (at === null) return fit(text(timeAsWritten(record) ?? '-'), 30);
  const time = formatTime(Math.floor(at));
  return narrow ? briefTime(time) : `${time.slice(0, 10)} ${time.slice(11, 23)}`;
}

/** The facts of a refusal, the params of what was accepted. */
function facts(record: JsonRecord): string[] {
  const source = record['status'] === 'failed' ? (record['details'] ?? record['params']) : record['params'];
  if (typeof source !== 'object' || source === null) return [];
  // A log of another program masks nothing, and a terminal is looked at by more than one.
  return Object.entries(maskParams(source as JsonObject))
    .filter(([name]) => name !== 'agent_id')
    .slice(0, 12)
    .map(([name, value]) => `${clean(name).slice(0, 40)}=${text(value)}`);
}

function text(value: unknown): string {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return clean(shown.slice(0, 400));
}
