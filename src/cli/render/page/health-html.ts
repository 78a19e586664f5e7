/**
 * One page that needs nothing else: no script, no network, no font. Its policy allows its own style sheet by hash and nothing more, so that
 * even a string that escaped its escaping could do nothing.
 */
import { createHash } from 'node:crypto';
import type { HourCounts } from '../../../app/ports/log.js';
import type { ReportedStanding } from '../../../app/mesh/standing.js';
import { percent, type HealthReport } from '../../../trust/health.js';
import { standingLine } from '../health.js';
import { rankedBars, stackedBars, stepLine, type Axis, type Bar } from './charts.js';
import { CSS } from './health-css.js';
import { escapeHtml } from './html.js';

export interface HealthPage {
  readonly agents: readonly AgentCharts[];
  /** Start of the time looked at, ms; null for all. */
  readonly from: number | null;
  /** ms. */
  readonly now: number;
}

/** A report with how the agent stands. */
export type StandingReport = HealthReport & { readonly standing: ReportedStanding };

export interface AgentCharts {
  readonly report: StandingReport;
  readonly hours: readonly HourCounts[];
  readonly trust: readonly { readonly start: number; readonly score: number }[];
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SERIES = ['successful', 'failed', 'unattributed'];
/** Agents with charts of their own; the table names all. */
const MOST_CHARTED = 100;

export function renderHealthPage({ agents, from, now }: HealthPage): string {
  const worstFirst = agents.toSorted((a, b) => rank(b.report) - rank(a.report));
  const hash = createHash('sha256').update(CSS).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const many = agents.length === 1 ? '' : overview(worstFirst.map(({ report }) => report));
  const charted = worstFirst.slice(0, MOST_CHARTED);
  const more = agents.length - charted.length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>Agent health</title>
<style>${CSS}</style>
</head>
<body>
<main>
<h1>Agent health</h1>
<p class="dim">${stamp(now)}${from === null ? ', all that was logged' : `, since ${stamp(from)}`}</p>
${many}
${charted.map((agent, i) => section(agent, i, from, now)).join('\n')}
${more > 0 ? `<p class="dim">${more} more agents are in the table only.</p>` : ''}
${agents.length === 0 ? '<section><p>No agent is known here yet.</p></section>' : ''}
</main>
</body>
</html>`;
}

function overview(reports: readonly StandingReport[]): string {
  const rows = reports.map((report, i) => {
    const id =
      i < MOST_CHARTED ? `<a href="#agent-${i}">${escapeHtml(report.agent_id)}</a>` : escapeHtml(report.agent_id);
    const cells = [
      report.trust_score.toFixed(2),
      report.total,
      report.failed,
      rate(report.failure_rate),
      report.unattributed,
    ];
    return `<tr><td class="id">${id}</td><td class="${report.status}">${report.status}</td><td class="${report.standing.status}">${report.standing.status}</td>${cells.map((cell) => `<td class="n">${cell}</td>`).join('')}</tr>`;
  });
  const head = ['trust', 'total', 'failed', 'failure rate', 'unattributed'].map((name) => `<th class="n">${name}</th>`);
  return `<section><h2>All agents</h2><div class="wide" tabindex="0"><table><thead><tr><th>agent</th><th>status</th><th>standing</th>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}

function section({ report, hours, trust }: AgentCharts, index: number, from: number | null, now: number): string {
  const start = Math.min(from ?? hours[0]?.start ?? now - DAY, now - HOUR);
  const span = spanOf({ from: start, to: now });
  // The last bar is the hour or day that is not over yet.
  const axis: Axis = { from: start, to: now - (now % span) + span };
  const facts: [string, string][] = [
    ['Trust score', report.trust_score.toFixed(2) + (report.trust_meaningful ? '' : ' <small>too few to tell</small>')],
    ['Total verifications', String(report.total)],
    ['Successful', `${report.successful} <small>${rate(report.success_rate)}</small>`],
    ['Failed', `${report.failed} <small>${rate(report.failure_rate)}</small>`],
    ['Unattributed', String(report.unattributed)],
  ];
  const warnings = report.warnings.map(({ message }) => `<li>${escapeHtml(message)}</li>`);
  const failures = report.recent_failures.map(
    (failure) =>
      `<tr><td>${escapeHtml(failure.error_code)}</td><td class="id">${escapeHtml(failure.action ?? '-')}</td><td>${escapeHtml(failure.timestamp)}</td><td class="n">${failure.seq}</td></tr>`,
  );
  const legend = SERIES.map((name, i) => `<span>${swatch(i)}${name}</span>`);
  return `<section id="agent-${index}">
<header class="agent"><h2>${escapeHtml(report.agent_id)}</h2><span class="pills">${pill(report)}<span class="status ${report.status}">${report.status}</span></span></header>
${report.standing.status === 'active' ? '' : `<p class="stopped">${escapeHtml(standingLine(report.standing))}</p>`}
<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
${warnings.length > 0 ? `<ul class="warnings">${warnings.join('')}</ul>` : ''}
<h3>Verifications</h3>
${stackedBars('Verifications over time', SERIES, barsOf(hours, span, axis), span, axis)}
<p class="legend">${legend.join('')}</p>
<h3>Trust over time</h3>
${stepLine('Trust score over time', trust, axis, [
  { at: 0.7, name: 'warning' },
  { at: 0.5, name: 'critical' },
])}
${
  report.top_codes.length > 0
    ? `<h3>Refusals by code</h3>${rankedBars(
        'Refusals by code',
        report.top_codes.map(({ error_code, count }) => ({ name: error_code, count })),
      )}`
    : ''
}
${failures.length > 0 ? `<h3>Recent failures</h3><div class="wide" tabindex="0"><table><thead><tr><th>code</th><th>action</th><th>time</th><th class="n">seq</th></tr></thead><tbody>${failures.join('')}</tbody></table></div>` : ''}
</section>`;
}

/** In words as well: colour alone says nothing to some, and nothing on paper. */
function pill({ standing }: StandingReport): string {
  const { status } = standing;
  return `<span class="status ${status}">${status === 'active' ? 'active' : status.toUpperCase()}</span>`;
}

/** At most a hundred bars or so. */
function spanOf({ from, to }: Axis): number {
  return [HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY].find((span) => (to - from) / span <= 100) ?? 365 * DAY;
}

function barsOf(hours: readonly HourCounts[], span: number, axis: Axis): Bar[] {
  const bars = new Map<number, [number, number, number]>();
  for (const { start, successful, failed, unattributed } of hours) {
    const at = Math.max(axis.from, start - (start % span));
    const bar = bars.get(at) ?? [0, 0, 0];
    bar[0] += successful;
    bar[1] += failed;
    bar[2] += unattributed;
    bars.set(at, bar);
  }
  return [...bars].map(([start, values]) => ({ start, values }));
}

function swatch(series: number): string {
  return `<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="s${series}" width="10" height="10" rx="2"/></svg>`;
}

/** Those that are stopped come first. */
function rank({ status, standing }: StandingReport): number {
  return (status === 'ok' ? 0 : status === 'warning' ? 1 : 2) + (standing.status === 'active' ? 0 : 3);
}

function rate(value: number | null): string {
  return value === null ? '-' : percent(value);
}

function stamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
