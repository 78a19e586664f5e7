import { agentNamed } from '../../app/passports/agent-named.js';
import { explainTrust, trustReport, type TrustReport, type TrustStep } from '../../app/conduct/trust-score.js';
import type { Cli } from '../cli.js';
import { briefTime } from '../render/entry.js';
import { table } from '../render/terminal/table.js';
import { clean, counted, flowed } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';
import { trustRules } from '../config/trust-rules.js';
import { findingAnywhere } from '../mesh/fleet.js';
import { localState } from '../../workspace/state.js';

interface Options {
  readonly explain: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['trust'],
  summary: "Show an agent's trust score, and every event that moved it",
  detail:
    'The score is kept up to date with each log entry; --explain computes it anew from the log, which gives the same number to the last digit.',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'Flags',
      options: [{ flags: '--explain', description: 'show every event that moved the score' }],
    },
  ],
  examples: [
    { run: 'aip trust support-agent-v1', why: 'the score' },
    { run: 'aip trust support-agent-v1 --explain', why: 'why it is what it is' },
    { run: 'aip trust support-agent-v1 --json | jq .score', why: 'for a script' },
  ],
  exits: { 3: 'the agent does not exist' },
  touches: ['state', 'files'],
  onlyReads: true,
  topics: ['trust-scores', 'config', 'json'],

  async run({ args, options }, cli) {
    const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
    const rules = trustRules(config);
    state.conduct.judgeBy(rules);
    const agentId = await agentNamed(await findingAnywhere(cli), args[0]!);
    const now = cli.io.now();
    // A name that was mistyped has the score that every new agent has.
    if (state.passport(agentId) === null && state.tally(agentId) === null)
      cli.warn(`Nothing is known here of ${agentId}: neither a passport nor an entry of the log.`, 'unknown_agent');
    if (!options.explain) {
      const report = trustReport(state.conduct, agentId, rules.model, now);
      if (cli.globals.json) cli.json(report);
      else show(report, rules.minVerifications, cli);
      return 0;
    }
    const { report, events, kept } = explainTrust(state.conduct, agentId, rules.model, now);
    if (kept !== report.score) {
      cli.warn(`The score kept beside the log is ${kept}, and the log gives ${report.score}.`, 'trust_mismatch');
    }
    if (cli.globals.json) {
      cli.json({ ...report, events });
      return 0;
    }
    if (events.length > 0) await cli.stream(renderSteps(events, cli));
    show(report, rules.minVerifications, cli);
    return 0;
  },
};

function show(report: TrustReport, least: number, cli: Cli): void {
  const { paint } = cli;
  const colour = report.score >= 0.7 ? paint.green : report.score >= 0.5 ? paint.yellow : paint.red;
  const doubt = report.meaningful ? '' : `, which means nothing before ${least}`;
  const said = `${colour(paint.bold(String(report.score)))} ${clean(report.agent_id)}: ${counted(report.verifications, 'verification')}${doubt} ${paint.dim(`(model ${report.model}${report.updated_at === null ? '' : `, updated ${report.updated_at}`})`)}`;
  cli.out(flowed(said, cli.width));
}

function renderSteps(events: readonly TrustStep[], cli: Cli): string {
  const { paint } = cli;
  const colour = (cell: string): string => (cell.trim().startsWith('-') ? paint.red(cell) : paint.green(cell));
  return table(
    [
      { title: 'seq', right: true },
      { title: 'time', brief: briefTime },
      { title: 'event' },
      { title: 'action', flexible: true },
      { title: 'change', right: true, colour },
      { title: 'score', right: true },
    ],
    events.map((event) => [
      event.seq === null ? '-' : String(event.seq),
      event.timestamp,
      event.kind === 'decay' ? `${event.idle_hours} idle hours` : (event.error_code ?? 'accepted'),
      event.action ?? '-',
      `${event.change > 0 ? '+' : ''}${event.change}`,
      String(event.score),
    ]),
    { width: cli.width, paint },
  );
}
