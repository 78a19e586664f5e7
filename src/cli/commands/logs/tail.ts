import { agentNamed } from '../../../app/passports/agent-named.js';
import { Failure, shellWord } from '../../../app/failure.js';
import { codeNamed, parseExitCondition, type ExitCondition, type LogFilter } from '../../../app/logs/tail.js';
import { RECORD_TYPES, type RecordType } from '../../../protocol/log/entry.js';
import { maskName } from '../../../protocol/log/secret-text.js';
import { findCodes, nearestCodes } from '../../render/explain-catalogue.js';
import type { Cli } from '../../cli.js';
import type { CommandSpec } from '../../spec.js';
import { TailWriter, type TailRequest } from '../../logs/tail.js';
import { tailFile } from '../../logs/tail-file.js';
import { tailLog } from '../../logs/tail-log.js';
import { nearest } from '../../../protocol/naming/nearest.js';
import { integer, sinceWhen } from '../../input/values.js';
import { findingAnywhere } from '../../mesh/fleet.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly follow: boolean;
  readonly lines?: number;
  readonly agent?: string;
  readonly action?: string;
  readonly status?: 'success' | 'failed';
  readonly code?: string;
  readonly type?: RecordType;
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string;
  readonly exitOn?: ExitCondition;
  readonly file?: string;
  readonly mesh: boolean;
}

const USUAL = 20;

export const command: CommandSpec<Options> = {
  path: ['logs', 'tail'],
  summary: 'Show verification log entries, and follow them as they come',
  detail:
    'A line an entry on a terminal, a JSON object an entry when piped. Shows the last 20 of the log here unless -n, --since or --until says otherwise, and all of a --file.',
  options: [
    {
      title: 'Which',
      options: [
        { flags: '-n, --lines <n>', description: 'the newest so many that match', value: integer(0, 1_000_000) },
        { flags: '--agent <agent>', description: 'of this agent', values: 'agent' },
        { flags: '--action <name>', description: 'of this action', values: 'action' },
        { flags: '--status <status>', description: 'of this outcome', choices: ['success', 'failed'] },
        { flags: '--code <code>', description: 'refused with this code, AIP-E202 or E202', values: 'code' },
        {
          flags: '--type <type>',
          description: 'entries of another kind than verifications',
          choices: [...RECORD_TYPES],
        },
        { flags: '--since <time>', description: 'from then on: a duration such as 1h, or a time' },
        { flags: '--until <time>', description: 'before then' },
        { flags: '--grep <regex>', description: 'whose JSON matches; ignores case unless it has capitals' },
      ],
    },
    {
      title: 'How',
      options: [
        { flags: '-f, --follow', description: 'go on with entries as they are written' },
        {
          flags: '--exit-on <what>',
          description: 'end with 15 at the first (:N for the Nth) failed | revoked | <code>',
          value: exitCondition,
        },
        { flags: '--file <file>', description: 'JSON Lines of another program, - for stdin', values: 'file' },
        { flags: '--mesh', description: "the fleet's log: what every verifier shipped to the mesh" },
      ],
    },
  ],
  examples: [
    { run: 'aip logs tail -f --status failed', why: 'refusals as they happen' },
    { run: 'aip logs tail --since 1h --code E202 --json | jq .details', why: 'for a script' },
    { run: 'aip logs tail -f -n 0 --exit-on AIP-E301:3 || ./page-someone.sh', why: 'wait for something' },
    { run: 'aip logs tail --mesh -f --status failed', why: 'the whole fleet' },
    { run: 'zcat audit.jsonl.gz | aip logs tail --file - --status failed', why: "another program's log" },
  ],
  exits: {
    3: 'the agent or the file does not exist, or not one line of the file can be read',
    4: 'with --mesh: the key store is missing, locked or refuses',
    5: 'the mesh cannot be reached, or refuses',
    15: '--exit-on was met, or some of a --file could not be read for it',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['state', 'files', 'network', 'keychain'],
  onlyReads: true,
  topics: ['logs', 'json'],

  async run({ options }, cli) {
    if (options.mesh && options.file !== undefined)
      throw new Failure('USAGE', '--mesh and --file are two logs; name one.', { hint: 'aip logs tail --mesh' });
    // Other programs, and later versions of this one, have codes of their own.
    if (options.file === undefined) for (const code of [options.code, options.exitOn?.on]) refuseUnknown(code);
    const filter = await filterOf(options, cli);
    if (options.file === undefined) {
      if (filter.code !== undefined) sayOfCode(filter.code, [], cli);
      if (options.exitOn !== undefined) sayOfCode(options.exitOn.on, ['failed', 'revoked'], cli);
    }
    const all = options.file !== undefined || options.since !== undefined || options.until !== undefined;
    const request = { filter, last: options.lines ?? (all ? null : USUAL), follow: options.follow };
    const writer = new TailWriter(cli, options.exitOn ?? null, options.status !== undefined);
    const met = options.mesh
      ? await fleet(cli, request, writer)
      : options.file === undefined
        ? await tailLog(cli, await localState(cli.workspace), request, writer)
        : await tailFile(cli, options.file, request, writer);
    return writer.finish(met, await alsoIn(options, cli));
  },
};

/** A code that nothing here gives is waited for in vain, unless a hook of the user's own gives it. `words`: what else is taken. */
function sayOfCode(code: string, words: readonly string[], cli: Cli): void {
  if (words.includes(code) || findCodes(code).some(({ entry }) => entry.code === code)) return;
  const word = nearest(code, words);
  const near = [...(word === null ? [] : [word]), ...nearestCodes(code).map((entry) => `${entry.code} ${entry.name}`)];
  const meant = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
  cli.warn(`No refusal of aip has the code "${code}", only a hook of yours can.${meant}`, 'unknown_code');
}

/** Where else entries are: a machine that stops agents need not be one that judged them. */
async function alsoIn({ mesh, file, agent }: Options, cli: Cli): Promise<string | null> {
  if (mesh || file !== undefined || (await cli.config()).get('mesh.url') === null) return null;
  return `aip logs tail --mesh${agent === undefined ? '' : ` --agent ${shellWord(agent)}`}`;
}

async function fleet(cli: Cli, request: TailRequest, writer: TailWriter): Promise<boolean> {
  const [{ meshSession }, { tailMesh }] = await Promise.all([
    import('../../mesh/session.js'),
    import('../../logs/tail-mesh.js'),
  ]);
  const { line } = await meshSession(cli, {});
  return tailMesh(cli, line, request, writer);
}

/** `AIP-` is the catalogues': no entry has a code that they do not know, and a script would wait for it for good. */
function refuseUnknown(text: string | undefined): void {
  const code = text === undefined ? '' : codeNamed(text);
  if (!code.toUpperCase().startsWith('AIP-') || findCodes(code).length > 0) return;
  const near = nearestCodes(code).map((entry) => `${entry.code} ${entry.name}`);
  throw new Failure('USAGE', `There is no such code as ${maskName(code).slice(0, 40)}.`, {
    hint: near.length === 0 ? 'aip explain' : `did you mean ${near.join(' or ')}?`,
  });
}

function exitCondition(text: string): ExitCondition {
  const condition = parseExitCondition(text);
  if (condition === null)
    throw new Error('Expected failed, revoked or a code such as AIP-E202, each with :N or without.');
  return condition;
}

async function filterOf(options: Options, cli: Cli): Promise<LogFilter> {
  const now = cli.io.now();
  const since = options.since === undefined ? null : sinceWhen(options.since, now);
  const until = options.until === undefined ? null : sinceWhen(options.until, now);
  return {
    ...(options.agent === undefined ? {} : { agentId: await agentNamed(await findingAnywhere(cli), options.agent) }),
    ...(options.action === undefined ? {} : { action: options.action }),
    ...(options.status === undefined ? {} : { status: options.status }),
    ...(options.code === undefined ? {} : { code: codeNamed(options.code) }),
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(options.grep === undefined ? {} : { grep: pattern(options.grep) }),
  };
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, /\p{Lu}/u.test(text) ? 'u' : 'iu');
  } catch {
    throw new Failure('USAGE', `--grep ${text.slice(0, 60)} is not a regular expression.`, {
      hint: "escape what is special: --grep 'a\\.b'",
    });
  }
}
