import { Failure } from '../../../app/failure.js';
import { eraseAtMesh, type ShippedErasure } from '../../../app/mesh/admin.js';
import { eraseEntries, planErasure, type ErasureWish } from '../../../app/logs/erase.js';
import { agentNamed } from '../../../app/passports/agent-named.js';
import { formatTime } from '../../../protocol/time.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { machineKey } from '../../../workspace/mesh.js';
import { localState } from '../../../workspace/state.js';
import type { Cli } from '../../cli.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import { integer, sinceWhen } from '../../input/values.js';
import { findingAnywhere } from '../../mesh/fleet.js';
import { adminSession } from '../../mesh/session.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends KeyPlaces {
  readonly agent?: string;
  readonly param?: string;
  readonly before?: string;
  readonly entry?: number;
  readonly mesh: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['logs', 'erase'],
  summary: 'Take a param out of the log for good, with what confirms a guess of it; proofs still hold',
  detail:
    'Gone are the value and its salt, and the details, message, target, intent hash, nonce and signature of those entries, what their outcomes say, and requests for approval that show it. A signed entry says so.',
  options: [
    {
      title: 'What',
      options: [
        { flags: '--agent <agent>', description: 'of entries of this agent', values: 'agent' },
        { flags: '--param <name>', description: 'the param, at the top of params' },
        { flags: '--before <time>', description: 'of entries before then: a duration such as 90d, or a time' },
        {
          flags: '--entry <seq>',
          description: 'of one entry; without --param all its params',
          value: integer(1, Number.MAX_SAFE_INTEGER),
        },
      ],
    },
    {
      title: 'Flags',
      options: [
        {
          flags: '--mesh',
          description: 'from the copies that were shipped to the mesh as well; takes an admin who signs',
        },
        { flags: '--dry-run', description: 'say what would be erased here, and erase nothing' },
        YES_OPTION,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip logs erase --agent support-agent-v1 --param email --before 30d', why: 'a person asked for it' },
    { run: 'aip logs erase --entry 42 --yes', why: 'all params of one entry' },
    { run: 'aip logs erase --agent support-agent-v1 --param email --mesh', why: "here, and from the fleet's log" },
  ],
  exits: {
    3: 'no such agent or entry',
    4: 'with --mesh: the key store is missing, locked or refuses, or the role is not admin',
    5: 'with --mesh: it cannot be reached, or refuses',
  },
  touches: ['state', 'network', 'keychain'],
  topics: ['retention', 'logs', 'proof'],

  async run({ options }, cli) {
    const wish = await wishOf(options, cli);
    const state = await localState(cli.workspace);
    const plan = planErasure(state, wish);
    if (plan.fixed.length > 0) {
      const they = counted(plan.fixed.length, 'entry was', 'entries were');
      cli.warn(
        `${they} written by the first version, which hashed values as they are: only pruning takes them away.`,
        'not_erasable',
      );
    }
    const count = plan.entries.length;
    const nothing = { entries: 0, requests: 0, emptied: true };
    if (options.dryRun || (count === 0 && !options.mesh)) return tell(nothing, null);
    // Before anything is erased: what cannot be signed or reached is said first.
    const admin = options.mesh ? await adminSession(cli, options) : null;
    if (!options.yes) {
      const what = wish.param === null ? 'all params' : `"${clean(wish.param)}"`;
      const where = admin === null ? '' : ', and from what the mesh holds';
      const sure = await cli.ask.confirm({
        message: `Erase ${what} from ${entriesOf(count)}${where}? Nothing brings it back.`,
        flag: '--yes',
      });
      if (!sure) {
        cli.note('Nothing was erased.');
        return 2;
      }
    }
    const { key } = await machineKey(cli.workspace);
    const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const report = count === 0 ? nothing : await eraseEntries(state, plan, key, cli.io.now(), pause);
    if (!report.emptied)
      cli.warn(
        'Another process reads the state: its write-ahead log holds the values until that one ends.',
        'still_in_log',
      );
    const there = admin === null ? null : await eraseAtMesh(admin, shippedWish(wish, state.logId));
    if (there?.overwritten === false)
      cli.warn("The mesh's store may keep what was there until it writes over it.", 'still_in_store');
    return tell(report, there);

    function tell(
      { entries, requests, emptied }: { entries: number; requests: number; emptied: boolean },
      mesh: { readonly erased: number } | null,
    ): number {
      if (cli.globals.json) {
        cli.json({
          erased: entries,
          would_erase: count,
          not_erasable: plan.fixed.length,
          requests,
          file_emptied: emptied,
          mesh_erased: mesh?.erased ?? null,
        });
        return 0;
      }
      if (count === 0) cli.out(noneHolds(wish, plan.fixed.length));
      else if (entries === 0) cli.out(`would erase it from ${entriesOf(count)}`);
      else {
        const asked = requests === 0 ? '' : `, and ${counted(requests, 'request')} for approval`;
        cli.out(`erased from ${entriesOf(entries)}${asked}; a signed entry says so`);
      }
      if (mesh !== null) cli.out(`erased from ${entriesOf(mesh.erased)} at the mesh; its signed word is kept there`);
      const shipped = mesh === null ? ', and what was shipped to a mesh (--mesh)' : '';
      if (entries > 0) cli.out(`  copies elsewhere still hold it: exports, backups${shipped}`);
      return 0;
    }
  },
};

/** The same as the mesh is asked for it. */
function shippedWish(wish: ErasureWish, logId: string): ShippedErasure {
  if ('entry' in wish) return { log_id: logId, seq: wish.entry, ...(wish.param === null ? {} : { param: wish.param }) };
  const { agentId, param, before } = wish;
  return { agent_id: agentId, param, ...(before === null ? {} : { before: formatTime(before) }) };
}

async function wishOf({ agent, param, before, entry }: Options, cli: Cli): Promise<ErasureWish> {
  if (entry !== undefined && agent === undefined && before === undefined) return { entry, param: param ?? null };
  if (entry !== undefined || agent === undefined || param === undefined) {
    throw new Failure('USAGE', 'Name an agent and a param, or one entry.', {
      hint: 'aip logs erase --agent support-agent-v1 --param email',
    });
  }
  const until = before === undefined ? null : sinceWhen(before, cli.io.now());
  return { agentId: await agentNamed(await findingAnywhere(cli), agent), param, before: until };
}

/** Says no more than was looked for: a value in newer entries, or in those of the first version, is still there. */
function noneHolds(wish: ErasureWish, fixed: number): string {
  const older = 'entry' in wish || wish.before === null ? '' : ` from before ${formatTime(wish.before)}`;
  return `no ${fixed === 0 ? '' : 'other '}entry here${older} holds it`;
}

const entriesOf = (count: number): string => counted(count, 'entry', 'entries');
