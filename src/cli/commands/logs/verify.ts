import { auditLog, isWhole, type LogAudit } from '../../../app/logs/audit/audit.js';
import type { LogCheck } from '../../../app/logs/check.js';
import { Failure, shellWord } from '../../../app/failure.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { meshOnLog } from '../../logs/mesh-word.js';
import { statementKeys } from '../../logs/signer.js';
import { clean, counted, flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly checkpoint: readonly string[];
  readonly publicKey: readonly string[];
  readonly file?: string;
  readonly identity?: string;
  readonly signatures: boolean;
  readonly mesh: boolean;
}

/** Entries between two reports of progress. */
const STRIDE = 250_000;

export const command: CommandSpec<Options> = {
  path: ['logs', 'verify'],
  summary: 'Check that nobody changed, removed, reordered or added entries of the verification log',
  detail:
    'Nonces, counters, tallies and standings are rebuilt from it and compared. A cut-off end together with a changed head shows only against a checkpoint that is kept elsewhere.',
  options: [
    {
      title: 'Flags',
      options: [
        {
          flags: '--checkpoint <file>',
          description: 'a checkpoint kept elsewhere (those kept here are used anyway)',
          repeatable: true,
          values: 'file',
        },
        { flags: '--public-key <key>', description: 'believe statements signed with this key', repeatable: true },
        {
          flags: '--signatures',
          description: "check every accepted intent's signature anew, where what was signed is kept",
        },
        {
          flags: '--mesh',
          description: 'fail where the mesh cannot be asked; it is asked anyway where this machine has joined one',
        },
        { flags: '--file <file>', description: 'check an export in JSON Lines instead, - for stdin', values: 'file' },
        {
          flags: '--identity <file>',
          description: 'what opens an encrypted export: an age identity or an Ed25519 private key',
          values: 'file',
        },
      ],
    },
  ],
  examples: [
    { run: 'aip logs verify', why: 'after an incident, before the log is believed' },
    { run: 'aip logs verify --checkpoint checkpoint.txt', why: 'whether the end was cut off' },
    { run: 'aip logs verify --json | jq .first_bad_seq', why: 'where it broke' },
  ],
  exits: {
    3: 'the state file is damaged, or a file cannot be read',
    5: 'with --mesh: the mesh cannot be asked',
    15: 'the chain is broken, what is rebuilt from it differs, or a checkpoint is not believed',
  },
  touches: ['state', 'files', 'network'],
  onlyReads: true,
  topics: ['logs', 'json', 'security'],

  async run({ options }, cli) {
    requireLookedAt(options);
    let said = 0;
    const pause = async (checked: number): Promise<void> => {
      if (checked - said >= STRIDE) cli.note(`${(said = checked)} entries checked`);
      // Lets Ctrl-C through.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const given = await Promise.all(
      options.checkpoint.map(async (name) => ({ name, bytes: await readInput(name, cli) })),
    );
    const keys = await statementKeys(cli, options.publicKey);
    if (options.file !== undefined) {
      const { verifyExport } = await import('../../logs/verify-export.js');
      const wish = { keys, given, pause, identity: options.identity ?? null };
      const { selected, ...audit } = await verifyExport(cli, options.file, wish);
      const logId = selected?.logId ?? null;
      return answer(audit, { logId, proven: selected?.proven ?? null, file: options.file }, cli);
    }
    const state = await localState(cli.workspace);
    const mesh = await meshOnLog(cli, state, keys, options.mesh);
    const audit = await auditLog(state, {
      keys,
      given,
      meshChain: mesh.chain,
      meshTrees: mesh.trees,
      signatures: options.signatures,
      clock: cli.io.now,
      pause,
    });
    return answer(audit, { logId: state.logId, proven: null, file: null }, cli);
  },
};

/** What is asked for and not looked at would read as checked. @throws Failure USAGE */
function requireLookedAt({ file, signatures, mesh, identity }: Options): void {
  if (file === undefined && identity !== undefined)
    throw new Failure('USAGE', '--identity opens an encrypted export.', { hint: '--file log.jsonl.age' });
  if (file !== undefined && (signatures || mesh))
    throw new Failure(
      'USAGE',
      `--${signatures ? 'signatures' : 'mesh'} is of the log of this machine, not of an export.`,
      {
        hint: 'aip logs verify --signatures --mesh where the log is, without --file',
      },
    );
}

/** What was audited. */
interface Audited {
  /** Null for an export that does not say of which log it is. */
  readonly logId: string | null;
  /** Of a selection: entries that are in the tree of its checkpoint. Null for a chain. */
  readonly proven: number | null;
  /** As `--file` names it; null for the log of this machine. */
  readonly file: string | null;
}

function answer(audit: LogAudit, audited: Audited, cli: Cli): number {
  const { treeSeq, derived, signatures } = audit;
  const { check, checkpoint, pruned, doubtful } = audit.verdict;
  if (doubtful > 0) {
    cli.warn(
      `${doubtful} statements kept with the log are signed by nobody trusted here; they were not used.`,
      'untrusted_statements',
    );
  }
  if (cli.globals.json) {
    const { ok, count, head } = check;
    const bad = check.ok ? { first_bad_seq: null, reason: null } : { first_bad_seq: check.seq, reason: check.reason };
    cli.json({
      ok,
      count,
      head: { seq: head.seq, hash: head.hash },
      log_id: audited.logId,
      ...bad,
      checkpoint:
        checkpoint === null
          ? treeSeq === null
            ? null
            : { seq: treeSeq, time: null, public_key: null }
          : { seq: checkpoint.seq, time: checkpoint.time, public_key: checkpoint.public_key },
      pruned: pruned.at(-1)?.until.seq ?? 0,
      derived: derived === null ? null : { ok: derived.length === 0, problems: derived },
      signatures: signatures === null ? null : { checked: signatures.checked, unchecked: signatures.unchecked },
    });
  } else {
    show(audit, audited, cli);
    for (const problem of derived ?? [])
      cli.out(flowed(`${cli.paint.red(cli.paint.bold('DIFFERS'))} ${clean(problem)}`, cli.width));
    if (derived?.length === 0 && check.head.seq > 0)
      cli.out(
        flowed(`  ${cli.paint.dim('rebuilt')}     nonces, counters, tallies and standings agree with it`, cli.width),
      );
  }
  return isWhole(audit) ? 0 : 15;
}

function show(audit: LogAudit, audited: Audited, cli: Cli): void {
  const { treeSeq, signatures } = audit;
  const { check, checkpoint, pruned } = audit.verdict;
  const { logId, proven } = audited;
  const { paint } = cli;
  if (!check.ok) return showBroken(check, audit.stranger, audited, cli);
  if (check.head.seq === 0) {
    cli.out(`${paint.green(paint.bold('ok'))} the log is empty`);
    return;
  }
  const found =
    proven === null
      ? `the hash chain of ${entriesOf(check.count)} is whole`
      : `${entriesOf(proven)} ${proven === 1 ? 'is' : 'are'} in the log that the checkpoint names`;
  cli.out(`${paint.green(paint.bold('ok'))} ${found}`);
  cli.out(`  ${paint.dim(proven === null ? 'head' : 'last')}        ${check.head.seq}  ${check.head.hash}`);
  if (logId !== null) cli.out(`  ${paint.dim('log')}         ${clean(logId)}`);
  if (checkpoint !== null) cli.out(`  ${paint.dim('checkpoint')}  ${checkpoint.seq}  of ${checkpoint.time}`);
  else if (treeSeq !== null) cli.out(`  ${paint.dim('checkpoint')}  ${treeSeq}  of the tree`);
  else cli.out(`  ${paint.dim('checkpoint')}  none: a cut-off end would not be noticed`);
  if (signatures !== null) {
    const left = signatures.unchecked === 0 ? '' : `; ${signatures.unchecked} cannot be checked here`;
    cli.out(`  ${paint.dim('signatures')}  ${signatures.checked} of accepted intents hold${left}`);
  }
  const last = pruned.at(-1);
  if (last !== undefined) cli.out(`  ${paint.dim('pruned')}      up to ${last.until.seq}, as signed at ${last.time}`);
}

function showBroken(
  check: Extract<LogCheck, { ok: false }>,
  stranger: string | null,
  { logId, file }: Audited,
  cli: Cli,
): void {
  const { paint } = cli;
  cli.out(flowed(`${paint.red(paint.bold('BROKEN'))} at entry ${check.seq}: ${clean(check.reason)}`, cli.width));
  const are = check.count === 1 ? 'is' : 'are';
  const before = `  ${entriesOf(check.count)} before it ${are} whole${logId === null ? '' : `; the log is ${logId}`}`;
  cli.out(flowed(before, cli.width));
  if (stranger !== null) {
    const flags = `${file === null ? '' : `--file ${shellWord(file)} `}--public-key ${stranger}`;
    return cli.note(`\nnext: where aip doctor shows this key on the verifier: aip logs verify ${clean(flags)}`);
  }
  const next =
    file === null
      ? 'keep a copy of the state file, and compare with the mesh or a checkpoint before trusting the rest'
      : 'keep this file, and have the log itself checked where it is, by aip logs verify, before the rest is trusted';
  cli.note(`\nnext: ${next}`);
}

function entriesOf(count: number): string {
  return counted(count, 'entry', 'entries');
}
