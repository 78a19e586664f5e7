/** What lint finds in a passport that was just signed. */
import type { LintFinding } from '../../app/passports/lint/finding.js';
import type { Output } from '../output.js';
import { clean } from '../render/terminal/text.js';

/** Warns of what is wrong or left open; what is often fine is a remark. */
export function sayFindings(findings: readonly LintFinding[], cli: Pick<Output, 'note' | 'warn' | 'paintErr'>): void {
  for (const { severity, message, code } of findings) {
    if (severity === 'note') cli.note(`${cli.paintErr.cyan('note:')} ${clean(message)} [${code}]`);
    else cli.warn(message, code);
  }
}
