/** The mesh, for people: its events, and who listens. */
import type { Overview } from '../../app/mesh/overview.js';
import type { AbsentVerifier } from '../../app/mesh/orders.js';
import type { RegionReport, RegionsView } from '../../app/mesh/regions.js';
import type { DrillReport } from '../../app/mesh/drill.js';
import type { MeshEvent } from '../../mesh/log/event.js';
import { formatTime, provenText, spanText } from '../../protocol/time.js';
import { agentName } from './agent-name.js';
import { briefTime, NARROW_COLUMNS } from './entry.js';
import { renderAbsent } from './standing.js';
import type { Paint } from './terminal/paint.js';
import { table, type TableColumn } from './terminal/table.js';
import { clean, fit } from './terminal/text.js';

export interface PageLook {
  readonly paint: Paint;
  readonly width: number;
}

const WORDS: Readonly<Record<string, string>> = {
  revocation: 'REVOKED',
  suspension: 'SUSPENDED',
  reinstatement: 'REINSTATED',
};
const WORD_COLUMNS = 10;

export function renderEvent(event: MeshEvent, { paint, width }: PageLook): string {
  const { seq, time, type, agent_id, reason, revoked_by, suspended_until } = event;
  if (type === 'passport') return renderPassport(event, { paint, width });
  const word = WORDS[type] ?? `DENIED (${clean(type)})`;
  const colour = type === 'reinstatement' ? paint.green : paint.red;
  const head = headOf(time, seq, width);
  const who = agent_id === '*' ? 'every agent' : (agentName(agent_id) ?? clean(agent_id));
  const until = suspended_until === null ? '' : ` until ${suspended_until}`;
  const why = `${reason === null ? '' : `: ${clean(reason)}`}${revoked_by === null ? '' : ` (${clean(revoked_by)})`}`;
  const shown = word.padEnd(WORD_COLUMNS);
  const rest = fit(`${who}${until}${why}`, Math.max(16, width - head.length - shown.length - 2));
  return `${paint.dim(head)}${colour(paint.bold(shown))}  ${rest}`;
}

/** When it was, in few columns on a narrow terminal, and its place in the log. */
function headOf(time: string, seq: number, width: number): string {
  const at = width < NARROW_COLUMNS ? briefTime(time) : `${time.slice(0, 10)} ${time.slice(11, 23)}`;
  return `${at}  ${String(seq).padStart(5)}  `;
}

function renderPassport({ seq, time, agent_id, serial, passport_hash }: MeshEvent, { paint, width }: PageLook): string {
  const head = headOf(time, seq, width);
  const what = serial == null ? 'withdrawn' : `serial ${serial}, ${passport_hash?.slice(0, 19)}...`;
  const rest = fit(
    `${agentName(agent_id) ?? clean(agent_id)}: ${what}`,
    Math.max(16, width - head.length - WORD_COLUMNS - 2),
  );
  return `${paint.dim(head)}${paint.bold('PASSPORT'.padEnd(WORD_COLUMNS))}  ${rest}`;
}

export interface CopyView {
  readonly seq: number | null;
  readonly ageMs: number | null;
  /** ms since the epoch; ahead of now where the clock was set back, and then there is no age. */
  readonly provenAt: number | null;
}

/** How far the copy of a machine is, and how old. */
export function renderCopy({ seq, ageMs, provenAt }: CopyView): string {
  if (seq === null) return 'none yet';
  const setBack = ageMs === null && provenAt !== null;
  return `at event ${seq}, ${setBack ? `proven current at ${formatTime(provenAt)}, which this machine's clock has not reached` : provenText(ageMs)}`;
}

export function renderOverview(seen: Overview, copy: CopyView, paint: Paint, width: number | null): string {
  const rows = [
    ['log', `${seen.logId}, ${seen.head} ${seen.head === 1 ? 'event' : 'events'}`],
    ['up for', spanText(seen.upMs)],
    ['commands', seen.requireSignedCommands ? "only with the operator's signature" : 'with an API key'],
    ['copy here', renderCopy(copy)],
    [
      'listening',
      `${seen.connected}${seen.roster > 0 ? `; ${seen.roster - seen.absentTotal} of ${seen.roster} on the roster` : ''}`,
    ],
    ['last drill', drillLine(seen)],
  ];
  const lines = [
    `${paint.green('up')} ${paint.bold(clean(seen.url))}`,
    ...rows.map(([label, value]) => `  ${paint.dim(label!.padEnd(10))}  ${clean(value!)}`),
  ];
  for (const line of absentLines(seen.absent, seen.absentTotal)) lines.push(paint.red(`  ${line}`));
  if (seen.older.length > 0)
    lines.push(
      paint.yellow(`  of an older version, and deaf to passports: ${clean(seen.older.join(', '))} (aip help upgrade)`),
    );
  if (seen.listeners.length === 0) return lines.join('\n');
  const columns = [
    { title: 'verifier', flexible: true },
    { title: 'how' },
    { title: 'applied', right: true },
    { title: 'behind', right: true },
    { title: 'key' },
  ];
  const cells = seen.listeners.map(({ verifier, label, mode, seq, reports, keyId, keyDenied }) => [
    label ?? verifier ?? '(does not report)',
    keyDenied ? `${mode}, its key is stopped` : mode,
    reports ? String(seq) : 'unknown',
    reports ? String(Math.max(0, seen.head - seq)) : 'unknown',
    keyId,
  ]);
  const more = seen.more > 0 ? [`and ${seen.more} more`] : [];
  return [...lines, '', table(columns, cells, { width: width ?? 100, paint }), ...more].join('\n');
}

function absentLines(named: readonly AbsentVerifier[], total: number): string[] {
  const more = total - named.length;
  return [...named.map((one) => renderAbsent(one)), ...(more > 0 ? [`and ${more} more absent`] : [])];
}

function drillLine({ lastDrill }: Overview): string {
  if (lastDrill === null) return 'never: aip mesh drill';
  const { at, p50_ms, p99_ms, can_halt } = lastDrill;
  const times = p50_ms === null ? '' : `, p50 ${p50_ms} ms, p99 ${p99_ms} ms`;
  return `${at}: can halt ${can_halt}${times}`;
}

export function renderDrill(report: DrillReport, paint: Paint, width: number | null): string {
  const { verifiers, p50_ms, p99_ms, can_halt, within_ms, ok, rounds } = report;
  const columns = [{ title: 'verifier', flexible: true }, { title: 'how' }, { title: 'slowest', right: true }];
  const rows = verifiers.map(({ verifier, label, mode, ms, confirmed }) => [
    label ?? verifier ?? '(does not report)',
    mode,
    ms === null ? (confirmed ? 'yes' : verifier === null ? 'unknown' : 'NOT IN TIME') : `${ms} ms`,
  ]);
  const list = rows.length === 0 ? ['Nobody listens.'] : [table(columns, rows, { width: width ?? 100, paint })];
  const times =
    p50_ms === null
      ? 'nothing was measured'
      : `p50 ${p50_ms} ms, p99 ${p99_ms} ms over ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
  const verdict = `can halt: ${can_halt}; ${times}; ${ok ? `within ${within_ms} ms` : `NOT shown to be within ${within_ms} ms`}`;
  for (const line of absentLines(report.absent, report.absent_total)) list.push(paint.red(line));
  if (report.challenge !== null)
    list.push(`${report.answers.length} of ${report.roster} answered the challenge, signed (--json holds the answers)`);
  return [...list, ok ? paint.green(verdict) : paint.red(verdict)].join('\n');
}

/** Each region's place with one command. */
export function renderRegions(regions: readonly RegionReport[], paint: Paint): string {
  return regions
    .map(({ region, state, ms, last_seq, last_seen }) => {
      const place = last_seen === null ? 'never heard of' : `last seen ${last_seen}, at event ${last_seq}`;
      const what = state === 'acknowledged' ? paint.green(`acknowledged in ${ms} ms`) : paint.yellow(place);
      return `  ${clean(region)}  ${what}`;
    })
    .join('\n');
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'region', flexible: true },
  { title: 'state' },
  { title: 'stored', right: true },
  { title: 'behind', right: true },
  { title: 'last seen' },
];

/** `aip mesh status --regions`. */
export function renderRegionsView({ home, regions, ...how }: RegionsView, paint: Paint, width: number | null): string {
  const sealed = home.sealed_by_term === null ? '' : paint.red(`, SEALED by term ${home.sealed_by_term}`);
  const name = home.region === null ? 'home' : `home ${clean(home.region)}`;
  const head = `${paint.bold(name)} at event ${home.head}, term ${home.term}${sealed}; ${how.replication_mode}, within ${how.max_propagation_time_ms} ms`;
  if (regions.length === 0) return `${head}\nno region follows: aip mesh key create --role region --label <name>`;
  const rows = regions.map(({ region, state, last_seq, last_seen, behind }) => [
    region,
    state,
    last_seq === null ? '' : String(last_seq),
    behind === null ? '' : String(behind),
    last_seen ?? '',
  ]);
  return `${head}\n${table(COLUMNS, rows, { paint, width })}`;
}
