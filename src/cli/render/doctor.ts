import type { Finding } from '../../app/setup/doctor.js';
import type { Paint } from './terminal/paint.js';
import { clean, counted, wrap } from './terminal/text.js';

export interface DoctorLook {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

const WORDS = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const;
const STATUS = 9;
const CHECK = 11;

/** `warning  passport   ...`, and what to do below it. */
export function renderFinding({ check, status, message, hint }: Finding, { paint, width }: DoctorLook): string {
  const colour = { ok: paint.green, warning: paint.yellow, failed: (text: string) => paint.red(paint.bold(text)) };
  const room = Math.max(16, width - STATUS - CHECK);
  const indent = ' '.repeat(STATUS + CHECK);
  const [first, ...rest] = wrap(clean(message), room);
  const word = WORDS[status];
  return [
    `${colour[status](word)}${' '.repeat(STATUS - word.length)}${clean(check).padEnd(CHECK)}${first!}`,
    ...rest.map((line) => indent + line),
    // On one line, however long: it is there to be pasted.
    ...(hint === null ? [] : [`${indent}${paint.cyan(`next: ${clean(hint)}`)}`]),
  ].join('\n');
}

/** `7 ok, 1 warning, 1 failed`. */
export function renderVerdict(findings: readonly Finding[], { paint }: DoctorLook): string {
  const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
  const warnings = count('warning');
  const failures = count('failed');
  return [
    `${count('ok')} ok`,
    counted(warnings, 'warning'),
    failures === 0 ? '0 failed' : paint.red(`${failures} failed`),
  ].join(', ');
}
