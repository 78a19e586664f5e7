import { agentNamed } from '../../app/passports/agent-named.js';
import { agentHealth, fleetHealth } from '../../app/conduct/health.js';
import { standingReported, type ReportedStanding } from '../../app/mesh/standing.js';
import { Failure } from '../../app/failure.js';
import type { HealthReport } from '../../trust/health.js';
import type { Cli } from '../cli.js';
import { renderFleet, renderHealth, severity } from '../render/health.js';
import { flowed } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';
import { trustRules } from '../config/trust-rules.js';
import { sinceWhen } from '../input/values.js';
import { writePage } from '../page-file.js';
import { configuredCopy, meshAccess } from '../mesh/access.js';
import { findingAnywhere } from '../mesh/fleet.js';
import { localState } from '../../workspace/state.js';

interface Options {
  readonly since: string;
  readonly failOn?: 'warning' | 'critical';
  readonly html?: string;
}

/** What `--json` prints of an agent. */
type StandingReport = HealthReport & { readonly standing: ReportedStanding };

const DAY = 24 * 3_600_000;

export const command: CommandSpec<Options> = {
  path: ['health'],
  summary: 'Report how agents behave: trust, failure rates, warnings, recent failures',
  detail:
    "Rates are of what an agent can be held to; refusals that may be a stranger's doing are counted apart. Warns over 10 % failures and under 0.7 trust; critical is under 0.5. Says who is stopped as this machine knows it; aip status asks the mesh.",
  args: [
    {
      name: 'agent',
      description: 'agent id, name of a known passport, or a passport file (default: all)',
      required: false,
      values: 'agent',
    },
  ],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--since <time>', description: 'a duration such as 24h, a time, or all', default: '24h' },
        {
          flags: '--fail-on <status>',
          description: 'exit 15 when an agent is that bad or worse',
          choices: ['warning', 'critical'],
        },
        {
          flags: '--html <file>',
          description: 'write a page with charts that needs no network; - for stdout',
          values: 'file',
        },
      ],
    },
  ],
  examples: [
    { run: 'aip health', why: 'all agents, the worst first' },
    { run: 'aip health support-agent-v1 --since 7d', why: "the guide's report on one" },
    { run: 'aip health --fail-on critical --quiet', why: 'in CI' },
    { run: 'aip health --html health.html', why: 'charts to look at or to send' },
  ],
  exits: { 3: 'the agent or the file does not exist', 15: 'an agent is as bad as --fail-on says' },
  touches: ['state', 'files'],
  onlyReads: true,
  topics: ['trust-scores', 'json', 'config'],

  async run({ args, options }, cli) {
    const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
    state.conduct.judgeBy(trustRules(config));
    const now = cli.io.now();
    const since = sinceWhen(options.since, now);
    const one = args[0] === undefined ? null : await agentNamed(await findingAnywhere(cli), args[0]);
    if (one !== null && state.passport(one) === null && state.tally(one) === null) unheardOf(one, options, cli);
    const ttl = config.get('log.outcome_ttl');
    const found =
      one === null ? fleetHealth(state, since, now, ttl) : [agentHealth(state.conduct, one, since, now, ttl)];
    const [copy, mesh] = [await configuredCopy(cli), (await meshAccess(cli)) !== null];
    const reports = found.map((report) => ({
      ...report,
      standing: standingReported(copy, report.agent_id, now, mesh),
    }));
    const hoursOf = (from: number) => (report: StandingReport) => ({
      report,
      hours: state.conduct.hours(report.agent_id, from),
    });
    if (options.html !== undefined) {
      const from = since ?? 0;
      const agents = reports
        .map(hoursOf(from))
        .map((each) => ({ ...each, trust: state.conduct.trustByHour(each.report.agent_id, from) }));
      const { renderHealthPage } = await import('../render/page/health-html.js');
      await writePage(options.html, renderHealthPage({ agents, from: since, now }), cli);
    }
    if (options.html !== '-') {
      if (cli.globals.json) cli.json(one === null ? reports : reports[0]);
      else if (one !== null) {
        const { hours } = hoursOf(now - DAY)(reports[0]!);
        cli.out(flowed(renderHealth(reports[0]!, { paint: cli.paint, now, hours }), cli.width));
      } else if (reports.length === 0) cli.note('No agent is known here yet.\nnext: aip passport create <name>');
      else {
        const worstFirst = reports.toSorted((a, b) => severity(b) - severity(a));
        cli.out(renderFleet(worstFirst.map(hoursOf(now - DAY)), now, { width: cli.width, paint: cli.paint }));
      }
    }
    return threshold(reports, options.failOn, cli);
  },
};

/** A name that was mistyped has a spotless record, and a gate in CI must not open on it. */
function unheardOf(agent: string, { failOn }: Pick<Options, 'failOn'>, cli: Cli): void {
  const message = `Nothing is known here of ${agent}: neither a passport nor an entry of the log.`;
  if (failOn !== undefined) throw new Failure('NOT_FOUND', message, { hint: 'aip health, for all that are known' });
  cli.warn(message, 'unknown_agent');
}

function threshold(reports: readonly HealthReport[], failOn: Options['failOn'], cli: Cli): number {
  if (failOn === undefined) return 0;
  const bad = reports.filter((report) => severity(report) >= severity({ status: failOn }));
  if (bad.length === 0) return 0;
  const names = bad.slice(0, 5).map(({ agent_id, status }) => `${agent_id} (${status})`);
  cli.warn(`--fail-on ${failOn}: ${names.join(', ')}${bad.length > 5 ? ` and ${bad.length - 5} more` : ''}`);
  return 15;
}
