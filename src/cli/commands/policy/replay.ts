import { Failure } from '../../../app/failure.js';
import { replayLog, type ReplayGroup, type ReplayReport } from '../../../app/policy/replay-report.js';
import { formatTime } from '../../../protocol/time.js';
import { localState } from '../../../workspace/state.js';
import { loadSchemaCheck } from '../../../workspace/verification.js';
import type { Cli } from '../../cli.js';
import { sinceWhen } from '../../input/values.js';
import { draftPassport } from '../../policy/documents.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly passport?: string;
  readonly since?: string;
  readonly until?: string;
}

export const command: CommandSpec<Options> = {
  path: ['policy', 'replay'],
  summary: 'Judge the recorded log under another passport: what would have been accepted, and what refused',
  detail:
    'Signature, nonce, freshness and standing are taken as they were found; windows and sums begin with what came before. Nothing is written, sent or counted, and a verdict that hangs on a hook, a person or a masked param is not decidable.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'the new passport: a file, also of a draft, or the name of one known here',
          values: 'agent',
        },
        {
          flags: '--since <time>',
          description: 'from then on: a duration such as 7d, or a time; all of the log without it',
        },
        { flags: '--until <time>', description: 'up to then' },
      ],
    },
  ],
  examples: [
    { run: 'aip policy replay --passport next.passport.json --since 7d', why: 'before a limit is changed' },
    {
      run: 'aip policy replay -p next.passport.json --since 7d --json | jq .accepted_to_refused',
      why: 'what would have been stopped',
    },
  ],
  exits: { 3: 'the passport does not exist, or the file holds no passport' },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['policy', 'passports', 'logs'],

  async run({ options }, cli) {
    if (options.passport === undefined) {
      throw new Failure('USAGE', 'Nothing says under which passport to replay the log.', {
        hint: 'aip policy replay --passport next.passport.json --since 7d',
      });
    }
    const { passport } = await draftPassport(options.passport, cli);
    const [state, config, schemaProblems] = await Promise.all([
      localState(cli.workspace),
      cli.config(),
      loadSchemaCheck(),
    ]);
    const now = cli.io.now();
    const since = options.since === undefined ? null : sinceWhen(options.since, now);
    const until = options.until === undefined ? null : sinceWhen(options.until, now);
    const report = await replayLog(
      state,
      {
        passport,
        schemaProblems,
        judgedPassport: (hash) => state.judgedPassport(hash),
        hooks: config.get('hooks').length > 0,
        unmeasured: config.get('verify.unmeasured'),
      },
      { since, until },
      async () => {
        await new Promise<void>((resolve) => setImmediate(resolve));
        cli.io.interruption.throwIfTold();
      },
    );
    const span = { since: since === null ? null : formatTime(since), until: until === null ? null : formatTime(until) };
    if (cli.globals.json) {
      cli.json({
        agent_id: passport.agent.id,
        passport: { serial: passport.serial, file: options.passport },
        ...span,
        ...report,
      });
    } else show(report, passport.agent.id, cli);
    if (report.total === 0) cli.note(`The log holds no verification of ${passport.agent.id} in that time.`);
    return 0;
  },
};

function show(report: ReplayReport, agentId: string, cli: Cli): void {
  const { paint } = cli;
  const { total, seeded, refused_to_accepted, accepted_to_refused, unchanged, not_decidable } = report;
  const before = seeded === 0 ? '' : `, with ${seeded} accepted before in the windows`;
  cli.out(`${counted(total, 'verification')} of ${clean(agentId)} judged anew${before}`);
  group('refused -> accepted', paint.yellow, refused_to_accepted, cli);
  group('accepted -> refused', paint.red, accepted_to_refused, cli);
  const other = unchanged.other_code === 0 ? '' : `, ${unchanged.other_code} of them with another code`;
  const money = moneyOf(unchanged);
  cli.out(
    `${padded('unchanged', unchanged.count)}${money}  (${unchanged.accepted} accepted, ${unchanged.refused} refused${other})`,
  );
  group('not decidable', paint.dim, not_decidable, cli);
}

function group(title: string, colour: (text: string) => string, found: ReplayGroup, cli: Cli): void {
  const line = `${padded(title, found.count)}${moneyOf(found)}`;
  cli.out(found.count === 0 ? line : colour(line));
  for (const [by, count] of Object.entries(found.by)) cli.out(`    ${clean(by)}  ${count}`);
  for (const { seq, timestamp, action, before, after } of found.examples)
    cli.out(
      cli.paint.dim(
        `    entry ${seq}  ${timestamp}  ${clean(action ?? '-')}  ${clean(before)} -> ${clean(after ?? 'not decidable')}`,
      ),
    );
}

function padded(title: string, count: number): string {
  return `  ${title.padEnd(20)} ${String(count).padStart(8)}`;
}

function moneyOf({ money }: ReplayGroup): string {
  const all = Object.entries(money).map(([currency, amount]) => `${amount} ${currency}`);
  return all.length === 0 ? '' : `  ${all.join(', ')}`;
}
