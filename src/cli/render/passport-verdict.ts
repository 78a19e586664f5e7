import type { PassportReport } from '../../app/passports/judge.js';
import type { Violation } from '../../verify/decision.js';
import { remedyOf } from './decision/facts.js';
import type { Paint } from './terminal/paint.js';
import { clean } from './terminal/text.js';

/** The verdict on a passport, for a person. `replaced`: what is in force instead, where that is why it is refused. */
export function renderPassportVerdict(report: PassportReport, paint: Paint, replaced?: Violation): string {
  const who = paint.bold(clean(report.agent_id ?? report.source));
  if (report.valid) {
    const until = report.expires_at === null ? 'no expiry' : `until ${report.expires_at}`;
    return `${paint.green('ok')} ${who}\n  signed by ${clean(report.principal!)}, in force (${clean(until)})`;
  }
  const verdict = paint.red(`REFUSED ${report.error_code} ${report.error_message}`);
  const { error_code: code, agent_id, principal } = report;
  const judged = { dialect: 'native', agent_id, action: null, details: { ...replaced?.details, principal } } as const;
  const next = (code === null ? null : remedyOf(code, judged)) ?? `aip explain ${code}`;
  return `${verdict} ${who}\n  ${clean(report.message)}\n  next: ${next}`;
}
