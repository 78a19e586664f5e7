import { shellWord } from '../../app/failure.js';
import type { PassportVerdict } from '../../app/passports/judge.js';
import { remedyOf } from './decision/facts.js';
import type { Paint } from './terminal/paint.js';
import { clean } from './terminal/text.js';

/** The verdict on a passport, for a person. */
export function renderPassportVerdict({ report, replaced, unsigned }: PassportVerdict, paint: Paint): string {
  const who = paint.bold(clean(report.agent_id ?? report.source));
  if (report.valid) {
    const until = report.expires_at === null ? 'no expiry' : `until ${report.expires_at}`;
    return `${paint.green('ok')} ${who}\n  signed by ${clean(report.principal!)}, in force (${clean(until)})`;
  }
  const verdict = paint.red(`REFUSED ${report.error_code} ${report.error_message}`);
  const { error_code: code, agent_id, principal } = report;
  const judged = { dialect: 'native', agent_id, action: null, details: { ...replaced?.details, principal } } as const;
  if (unsigned === true) {
    const signs = `its principal signs it: \`aip passport update <agent> --from ${clean(shellWord(report.source))}\``;
    return `${verdict} ${who}\n  ${clean(report.message)}\n  next: a draft is no passport; ${signs}`;
  }
  const next = (code === null ? null : remedyOf(code, judged)) ?? `aip explain ${code}`;
  return `${verdict} ${who}\n  ${clean(report.message)}\n  next: ${next}`;
}
