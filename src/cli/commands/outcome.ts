import {
  OUTCOME_STATUSES,
  releaseShared,
  reportOutcome,
  type OutcomeReport,
  type OutcomeStatus,
} from '../../app/outcomes/report.js';
import { Failure } from '../../app/failure.js';
import { fleetAt } from '../../workspace/fleet/memory.js';
import { localState } from '../../workspace/state.js';
import { readInput } from '../input/documents.js';
import { durationMs } from '../input/values.js';
import type { CommandSpec } from '../spec.js';

interface Options {
  readonly status?: OutcomeStatus;
  readonly tokenFile?: string;
  readonly exitCode?: string;
  readonly duration?: number;
  readonly resultHash?: string;
  readonly detail?: string;
  readonly release?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['outcome'],
  summary: 'Record what became of an accepted intent',
  detail:
    'The decision gives its caller an outcome_token; without it the outcome is recorded as claimed. exec and shield do this by themselves.',
  args: [{ name: 'intent-hash', description: 'sha256:..., as the decision names it' }],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--status <status>', description: 'how it ended', choices: OUTCOME_STATUSES },
        {
          flags: '--token-file <file>',
          description: 'file that holds the outcome_token, - for stdin (or AIP_OUTCOME_TOKEN)',
          values: 'file',
        },
        { flags: '--exit-code <n>', description: 'of the command that ran' },
        { flags: '--duration <duration>', description: 'how long it took, e.g. 1500ms', value: durationMs },
        { flags: '--result-hash <hash>', description: 'sha256:... of the result' },
        { flags: '--detail <text>', description: 'one sentence for people' },
        {
          flags: '--release',
          description: 'the action did not happen: give its place in the daily limit back (passport: release: true)',
        },
      ],
    },
  ],
  examples: [
    { run: 'aip outcome sha256:4f... --status ok', why: 'as a claim' },
    {
      run: 'jq -r .outcome_token decision.json | aip outcome sha256:4f... --status error --token-file -',
      why: 'as the caller of the decision',
    },
    {
      run: 'aip outcome sha256:4f... --status error --release --token-file token',
      why: 'it failed before it acted: the daily limit has its place again',
    },
  ],
  exits: { 3: 'no intent with this hash was accepted here', 4: 'the token is of another decision' },
  touches: ['state', 'files'],
  topics: ['logs'],

  async run({ args, options }, cli) {
    if (options.status === undefined)
      throw new Failure('USAGE', 'How did it end?', { hint: `aip outcome ${args[0]!.slice(0, 80)} --status ok` });
    const state = await localState(cli.workspace);
    const code = options.exitCode;
    if (code !== undefined && !/^\d{1,3}$/.test(code))
      throw new Failure('USAGE', 'An exit code is a whole number from 0 to 255.', { hint: '--exit-code 0' });
    const report: OutcomeReport = {
      intentHash: args[0]!,
      status: options.status,
      token: await tokenOf(),
      exitCode: code === undefined ? null : Number(code),
      durationMs: options.duration === undefined ? null : Math.round(options.duration),
      resultHash: options.resultHash ?? null,
      detail: options.detail ?? null,
      ...(options.release === true ? { release: true } : {}),
    };
    const fleet = options.release === true ? await fleetAt(cli.workspace, (await cli.config()).get('state.url')) : null;
    const shared = await releaseShared(state, fleet?.memory ?? null, report);
    const answer = reportOutcome(state, report, cli.io.now(), shared);
    if (cli.globals.json) cli.json(answer);
    else {
      const ending = answer.status === 'unknown' ? 'not final' : 'final';
      const how = answer.claimed ? 'claimed, without the token of the decision' : ending;
      cli.out(`${cli.paint.green('ok')} entry ${answer.of} ended as ${answer.status} (${how}); entry ${answer.seq}`);
      if (answer.released) cli.note('its place in the daily limit was given back');
    }
    if (answer.not_released !== null) cli.warn(`Nothing was given back: ${answer.not_released}.`, 'not_released');
    return 0;

    async function tokenOf(): Promise<string | null> {
      const named = options.tokenFile;
      const text =
        named === undefined
          ? (cli.io.env['AIP_OUTCOME_TOKEN'] ?? '')
          : Buffer.from(await readInput(named, cli)).toString('utf8');
      const token = text.replace(/^\ufeff/, '').replace(/\r?\n$/, '');
      return token === '' && named === undefined ? null : token;
    }
  },
};
