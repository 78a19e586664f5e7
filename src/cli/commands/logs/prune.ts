import { counted } from '../../render/terminal/text.js';
import { Failure } from '../../../app/failure.js';
import { parsePublicKey } from '../../../protocol/identity/keys.js';
import { planPruning, pruneLog, sweepPruned, type Pruning } from '../../../app/logs/prune.js';
import type { Cli } from '../../cli.js';
import { meshAccess } from '../../mesh/access.js';
import { agingOf } from '../../../app/logs/retention.js';
import { machineStatementKey, retentionOf } from '../../logs/retention.js';
import { logSigner, signerOptions, type SignerFlags } from '../../logs/signer.js';
import { YES_OPTION } from '../../input/options.js';
import type { CommandSpec } from '../../spec.js';
import { trustRules } from '../../config/trust-rules.js';
import { durationMs } from '../../input/values.js';
import { localState } from '../../../workspace/state.js';

interface Options extends SignerFlags {
  readonly olderThan?: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['logs', 'prune'],
  summary: 'Remove old entries, leaving a signed summary so that the chain still verifies',
  detail:
    'Counts for health and trust scores stay as they are. Export what has to be retained first. What is shipped to a mesh stays until the mesh has it.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--older-than <duration>',
          description:
            'remove entries older than this, e.g. 90d; without it log.retention, at most a tenth of the log without --yes',
          value: durationMs,
        },
        { flags: '--dry-run', description: 'say what would be removed, and remove nothing' },
        ...signerOptions(
          'whose key signs the summary (default with --older-than: the one of config, or the only one held here; else the key of this verifier)',
        ),
        YES_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip logs export --out 2026-q1.jsonl && aip logs prune --older-than 90d', why: 'keep a copy, then remove' },
    { run: 'aip logs prune --older-than 90d --dry-run', why: 'see what would go' },
  ],
  exits: { 4: 'the key store is missing, locked or refuses', 15: 'the chain is broken: nothing was removed' },
  touches: ['state', 'keychain'],
  topics: ['retention', 'logs'],

  async run({ options }, cli) {
    const [state, config] = await Promise.all([localState(cli.workspace), cli.config()]);
    const { olderThan } = options;
    const configured = olderThan === undefined ? await retentionOf(cli, config.get('log.retention')) : null;
    const now = cli.io.now();
    const asked = olderThan === undefined ? null : { before: now - olderThan, now };
    const aging = configured === null ? asked : agingOf(configured);
    if (aging === null) {
      const unknown = configured !== null;
      throw new Failure(
        'USAGE',
        unknown
          ? "The mesh's time is not known here, so that nothing is old for certain."
          : 'Nothing says how old entries have to be.',
        {
          hint: unknown
            ? 'aip mesh follow, or: aip logs prune --older-than 90d'
            : 'aip logs prune --older-than 90d, or log.retention in the config',
        },
      );
    }
    state.conduct.judgeBy(trustRules(config));
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    const left = options.dryRun ? 0 : await sweepPruned(state, pause);
    if (left > 0) cli.note(`deleted ${counted(left, 'entry', 'entries')} that an interrupted pruning had left behind`);
    const mesh = await meshAccess(cli);
    const meshKey = mesh === null ? null : parsePublicKey(mesh.publicKey);
    const { after, head } = state.bounds();
    // A clock that jumped must not take the log with it.
    const most = configured === null || options.yes ? null : Math.floor((head.seq - after.seq) / 10);
    const { plan, unshipped } =
      most === 0 ? { plan: null, unshipped: 0 } : await planPruning(state, aging, pause, meshKey, most);
    if (unshipped > 0) {
      const they = counted(unshipped, 'entry that old stays', 'entries that old stay');
      cli.warn(`${they}: the mesh does not have it all yet; aip mesh follow ships the log.`, 'log_unshipped');
    }
    const old = (state.archive.lastBefore(aging)?.seq ?? after.seq) - after.seq;
    const capped = most === null ? 0 : old - unshipped - (plan?.count ?? 0);
    if (capped > 0) {
      const they = counted(capped, 'entry that old stays', 'entries that old stay');
      cli.note(`${they}: at most a tenth of the log goes in a run without --yes`);
    }
    if (plan === null) return tell(cli, null, null, options.dryRun, { unshipped, capped });
    if (options.dryRun) return tell(cli, plan, null, true);
    if (!options.yes && configured === null) {
      const sure = await cli.ask.confirm({
        message: `Remove ${counted(plan.count, 'entry', 'entries')}, ${plan.firstTime} to ${plan.lastTime}?`,
        flag: '--yes',
      });
      if (!sure) {
        cli.note('Nothing was removed.');
        return 2;
      }
    }
    const key =
      configured === null || options.principal !== undefined
        ? await logSigner(cli, options)
        : await machineStatementKey(cli);
    return tell(cli, plan, await pruneLog(state, plan, key, now, pause), false);
  },
};

function tell(
  cli: Cli,
  plan: Pruning | null,
  summary: string | null,
  dryRun: boolean,
  { unshipped, capped } = { unshipped: 0, capped: 0 },
): number {
  const removed = dryRun || plan === null ? 0 : plan.count;
  if (cli.globals.json) {
    const would = plan === null ? 0 : plan.count;
    cli.json({
      removed,
      would_remove: would,
      until_seq: plan?.until.seq ?? null,
      summary: summary === null ? null : (JSON.parse(summary) as unknown),
    });
  } else if (plan === null) {
    const why = unshipped > 0 ? 'no entry that old is with the mesh; ' : capped > 0 ? '' : 'no entry is that old; ';
    cli.out(`${why}nothing was removed`);
  } else {
    const verb = dryRun ? 'would remove' : 'removed';
    cli.out(
      `${verb} ${counted(plan.count, 'entry', 'entries')} up to ${plan.until.seq}, ${plan.firstTime} to ${plan.lastTime}`,
    );
    if (!dryRun) cli.out('  a signed summary stands in their place; check: aip logs verify');
  }
  return 0;
}
