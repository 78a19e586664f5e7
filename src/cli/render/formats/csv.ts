import type { Entry } from '../../../protocol/log/entry.js';
import { safeJson } from '../terminal/text.js';

const COLUMNS = [
  ...([
    'seq',
    'timestamp',
    'agent_id',
    'action',
    'params',
    'status',
    'error_code',
    'error_message',
    'details',
  ] as const),
  ...(['nonce', 'signature', 'intent_hash', 'dialect', 'verifier', 'latency_us', 'prev_hash', 'hash'] as const),
  // Behind what readers may have by its place.
  ...(['target', 'key_id', 'passport_serial', 'approval_request'] as const),
  ...(['type', 'intent_timestamp', 'passport_hash', 'observed'] as const),
];

export const CSV_HEADER = COLUMNS.join(',');

/** The entry as RFC 4180 has it, without a final line break. */
export function csvRow(entry: Entry): string {
  return COLUMNS.map((name) => cell(entry[name])).join(',');
}

/**
 * A spreadsheet takes a cell that begins like a formula for one, and runs it (OWASP, "CSV Injection"): such a cell gets an apostrophe in front. Where
 * lists are written with semicolons it ends cells there, quoted or not: what begins behind one is held to the same.
 * Objects are JSON, which begins with a brace.
 */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text =
    typeof value === 'string'
      ? safeJson(value)
          .slice(1, -1)
          .replace(/\\(["\\])/g, '$1')
      : safeJson(value);
  const harmless = text
    .replace(/^(?=[\s\u00a0]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20|%])/, "'")
    .replace(/;(?=[\s\u00a0"]*[=+\-@\uff1d\uff0b\uff0d\uff20])/g, ";'");
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
