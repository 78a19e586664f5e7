import type { PassportReport } from '../../app/passports/judge.js';
import type { Paint } from './terminal/paint.js';
import { clean } from './terminal/text.js';

/** The verdict on a passport, for a person. */
export function renderPassportVerdict(report: PassportReport, paint: Paint): string {
  const who = paint.bold(clean(report.agent_id ?? report.source));
  if (report.valid) {
    const until = report.expires_at === null ? 'no expiry' : `until ${report.expires_at}`;
    return `${paint.green('ok')} ${who}\n  signed by ${clean(report.principal!)}, in force (${clean(until)})`;
  }
  const verdict = paint.red(`REFUSED ${report.error_code} ${report.error_message}`);
  return `${verdict} ${who}\n  ${clean(report.message)}\n  next: aip explain ${report.error_code}`;
}
