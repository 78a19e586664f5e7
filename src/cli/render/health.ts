import type { HourCounts } from '../../app/ports/log.js';
import { shortName } from '../../app/passports/find.js';
import { provenText } from '../../protocol/time.js';
import { percent, type HealthReport } from '../../trust/health.js';
import type { ReportedStanding } from '../../app/mesh/standing.js';
import type { Paint } from './terminal/paint.js';
import { endedLine, hasEnded } from './standing.js';
import { sparkline } from './page/sparkline.js';
import { table, type TableLook } from './terminal/table.js';
import { clean } from './terminal/text.js';

const HOUR = 3_600_000;
const HOURS_SHOWN = 24;

/** The guide's report, in its words, without a final newline. */
export function renderHealth(
  report: HealthReport & { readonly standing: ReportedStanding },
  look: { readonly paint: Paint; readonly hours: readonly HourCounts[]; readonly now: number },
): string {
  const { paint } = look;
  const rate = (value: number | null): string => (value === null ? '-' : percent(value));
  const untold = report.trust_meaningful ? '' : paint.dim(' (too few verifications to mean anything)');
  const lines = [
    `Agent: ${paint.bold(clean(report.agent_id))}`,
    `Status: ${status(report.status, paint)}${report.since === null ? '' : paint.dim(`  (counted since ${report.since})`)}`,
    ...(report.standing.status === 'active' ? [] : [`Standing: ${paint.red(standingLine(report.standing))}`]),
    `Trust Score: ${report.trust_score.toFixed(2)}${untold}`,
    `Total Verifications: ${report.total}`,
    `Successful: ${report.successful} (${rate(report.success_rate)})`,
    `Failed: ${report.failed} (${rate(report.failure_rate)})`,
  ];
  if (report.unattributed > 0) {
    lines.push(
      `Unattributed: ${report.unattributed} ${paint.dim("(may be a stranger's doing, or is no fault; left out of the rates)")}`,
    );
  }
  const { ok, error, unknown, running } = report.outcomes;
  if (ok + error + unknown > 0)
    lines.push(
      `Outcomes: ${ok} ok, ${error} error, ${unknown} unknown${running === 0 ? '' : `, ${running} not ended yet`}`,
    );
  const bars = lastHours(look.hours, look.now);
  if (bars.some((count) => count > 0)) lines.push(`Last ${HOURS_SHOWN} hours: |${sparkline(bars)}|`);
  for (const { message } of report.warnings) lines.push(`${paint.yellow('WARNING')}: ${message}`);
  if (report.top_codes.length > 0) {
    const codes = report.top_codes.map(({ error_code, count }) => `${count} ${clean(error_code)}`);
    lines.push('', `Top Codes: ${codes.join(', ')}`);
  }
  if (report.recent_failures.length > 0) {
    lines.push('', 'Recent Failures:');
    for (const { error_code, action, timestamp } of report.recent_failures) {
      lines.push(`  - ${paint.red(clean(error_code))}: ${clean(action ?? '-')} at ${timestamp}`);
    }
  }
  return lines.join('\n');
}

/** All agents, a line each; the worst first. */
export function renderFleet(
  rows: readonly {
    readonly report: HealthReport & { readonly standing: ReportedStanding };
    readonly hours: readonly HourCounts[];
  }[],
  now: number,
  look: TableLook,
): string {
  const { paint } = look;
  const colour = (cell: string): string => colourOf(cell.trim(), paint)(cell);
  const stopped = rows.some(({ report }) => report.standing.status !== 'active');
  const colourOfStanding = (cell: string): string => (cell.trim() === 'active' ? cell : paint.red(cell));
  return table(
    [
      { title: 'agent', flexible: true },
      { title: 'status', colour },
      ...(stopped ? [{ title: 'standing', colour: colourOfStanding }] : []),
      { title: 'trust', right: true },
      { title: 'total', right: true, optional: true },
      { title: 'failed', right: true, optional: true },
      { title: 'rate', right: true },
      { title: 'unattributed', right: true, optional: true },
      { title: `last ${HOURS_SHOWN} h`, optional: true },
      { title: 'warnings', flexible: true },
    ],
    rows.map(({ report, hours }) => [
      shortName(report.agent_id),
      report.status,
      ...(stopped ? [standingWord(report.standing)] : []),
      report.trust_score.toFixed(2) + (report.trust_meaningful ? '' : '?'),
      String(report.total),
      String(report.failed),
      report.failure_rate === null ? '-' : percent(report.failure_rate),
      String(report.unattributed),
      sparkline(lastHours(hours, now)),
      report.warnings.map(({ code }) => code).join(' '),
    ]),
    look,
  );
}

/** `REVOKED: leaked; by ops since 2026-02-18T14:23:45Z, known from the mesh`. */
export function standingLine(standing: ReportedStanding): string {
  const { reason, revoked_by, changed_at, suspended_until, denied_by } = standing;
  if (hasEnded(standing)) return `${standingWord(standing)}; ${endedLine(standing)}; ${knownFrom(standing)}`;
  const parts = [
    `${standingWord(standing)}${reason === null ? '' : `: ${clean(reason)}`}`,
    ...(revoked_by === null ? [] : [`by ${clean(revoked_by)}`]),
    ...(changed_at === null ? [] : [`since ${changed_at}`]),
    ...(suspended_until === null ? [] : [`until ${suspended_until}`]),
    ...(denied_by === null ? [] : [`stopped: ${denied_by === '*' ? 'every agent' : clean(denied_by)}`]),
    knownFrom(standing),
  ];
  return parts.join('; ');
}

function knownFrom({ source, age_ms }: Pick<ReportedStanding, 'source' | 'age_ms'>): string {
  return source === 'mesh'
    ? `known from the mesh, by a copy that was ${provenText(age_ms)}`
    : 'known from this machine alone';
}

function standingWord({ status }: Pick<ReportedStanding, 'status'>): string {
  return status === 'active' ? status : status.toUpperCase();
}

/** How bad, for sorting and thresholds: 0 ok, 1 warning, 2 critical. */
export function severity(report: Pick<HealthReport, 'status'>): 0 | 1 | 2 {
  return report.status === 'ok' ? 0 : report.status === 'warning' ? 1 : 2;
}

function lastHours(hours: readonly HourCounts[], now: number): number[] {
  const first = now - (now % HOUR) - (HOURS_SHOWN - 1) * HOUR;
  const found = new Map(hours.map((hour) => [hour.start, hour.successful + hour.failed + hour.unattributed]));
  return Array.from({ length: HOURS_SHOWN }, (_, i) => found.get(first + i * HOUR) ?? 0);
}

function status(text: HealthReport['status'], paint: Paint): string {
  return colourOf(text, paint)(text);
}

function colourOf(text: string, paint: Paint): (text: string) => string {
  return text === 'ok' ? paint.green : text === 'warning' ? paint.yellow : paint.red;
}
