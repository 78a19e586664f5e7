import { checkAgainstStatements, type CheckpointVerdict } from '../../../app/logs/checkpoint.js';
import type { LogCheck } from '../../../app/logs/check.js';
import { Failure, shellWord } from '../../../app/failure.js';
import { checkTree, readTreeCheckpoint } from '../../../app/proof/checkpoint.js';
import { ErasureCheck } from '../../../app/logs/erasures.js';
import { checkSignatures, type SignatureAudit } from '../../../app/proof/signatures.js';
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
    { run: 'aip logs verify --checkpoint checkpoint.json', why: 'whether the end was cut off' },
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
    let said = 0;
    const pause = async (checked: number): Promise<void> => {
      if (checked - said >= STRIDE) cli.note(`${(said = checked)} entries checked`);
      // Lets Ctrl-C through.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const all = await Promise.all(
      options.checkpoint.map(async (name) => ({ name, bytes: await readInput(name, cli) })),
    );
    const isNote = ({ bytes }: { readonly bytes: Uint8Array }): boolean =>
      Buffer.from(bytes.subarray(0, 64)).toString('latin1').startsWith('aip.log/');
    const given = all.filter((each) => !isNote(each));
    const notes = all.filter(isNote);
    const keys = await statementKeys(cli, options.publicKey);
    if (options.file !== undefined) {
      if (notes.length > 0) {
        throw new Failure(
          'USAGE',
          `${notes[0]!.name} is not a checkpoint of a chain: an export is checked by those of --principal.`,
          {
            hint: 'aip logs checkpoint --principal <did>',
          },
        );
      }
      const { verifyExport } = await import('../../logs/verify-export.js');
      const wish = { keys, given, pause, identity: options.identity ?? null };
      const { verdict, stranger, selected } = await verifyExport(cli, options.file, wish);
      const trusting = stranger === null ? null : `--file ${shellWord(options.file)} --public-key ${stranger}`;
      const [logId, treeSeq] = [selected?.logId ?? null, selected?.seq ?? null];
      return answer(verdict, logId, cli, { ...NOTHING_BESIDE, trusting, treeSeq, proven: selected?.proven ?? null });
    }
    const state = await localState(cli.workspace);
    const mesh = await meshOnLog(cli, state, keys, options.mesh);
    const named = mesh.chain === null ? given : [...given, mesh.chain];
    const verdict = await checkAgainstStatements(state, { keys, given: named, pause });
    if (!verdict.check.ok) return answer(verdict, state.logId, cli);
    const givenHeads = notes.map(({ name, bytes }) => {
      const head = readTreeCheckpoint(bytes, name, state.logId, keys);
      if (head === null)
        throw new Failure('UNREADABLE', `${name} is not a checkpoint.`, { hint: 'aip logs checkpoint' });
      return head;
    });
    const heads = [...givenHeads, ...mesh.trees];
    const erasures = new ErasureCheck(keys);
    const tree = await checkTree(
      state,
      heads,
      () => pause(0),
      (record) => erasures.see(record),
    );
    const unexplained = tree.ok ? erasures.problem() : null;
    const fault = tree.ok ? unexplained : tree;
    let check =
      fault === null
        ? verdict.check
        : { ...verdict.check, ...fault, ok: false as const, count: Math.max(0, fault.seq - 1) };
    const signatures = options.signatures && check.ok ? await checkSignatures(state, () => pause(0)) : null;
    if (signatures?.bad != null) {
      check = { ...verdict.check, ok: false, ...signatures.bad, count: Math.max(0, signatures.bad.seq - 1) };
    }
    const { after } = state.tree();
    const size = Math.max(0, ...heads.map((head) => head.size));
    // Of a log that is not whole nothing can be rebuilt.
    const derived = check.ok ? state.derivedProblems(cli.io.now()) : null;
    const treeSeq = size === 0 ? null : after + size;
    const by = unexplained?.by ?? null;
    const trusting = by === null ? null : `--public-key ${by}`;
    const beside: Beside = { treeSeq, derived, signatures, trusting, proven: null };
    return answer({ ...verdict, check }, state.logId, cli, beside);
  },
};

/** What is known beside the chain: how far a checkpoint of the tree reaches, and what does not agree with the log. */
interface Beside {
  readonly treeSeq: number | null;
  /** Null where it was not looked at. */
  readonly derived: readonly string[] | null;
  /** Null where it was not looked at. */
  readonly signatures: SignatureAudit | null;
  /** The flags that trust the key on which it hangs alone. */
  readonly trusting: string | null;
  /** Of a selection: entries that are in the tree of its checkpoint. Null for a chain. */
  readonly proven: number | null;
}

const NOTHING_BESIDE: Beside = { treeSeq: null, derived: null, signatures: null, trusting: null, proven: null };

function answer(verdict: CheckpointVerdict, logId: string | null, cli: Cli, beside: Beside = NOTHING_BESIDE): number {
  const { treeSeq, derived, signatures } = beside;
  const { check, checkpoint, pruned, doubtful } = verdict;
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
      log_id: logId,
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
    show(verdict, logId, cli, beside);
    for (const problem of derived ?? [])
      cli.out(flowed(`${cli.paint.red(cli.paint.bold('DIFFERS'))} ${clean(problem)}`, cli.width));
    if (derived?.length === 0 && check.head.seq > 0)
      cli.out(
        flowed(`  ${cli.paint.dim('rebuilt')}     nonces, counters, tallies and standings agree with it`, cli.width),
      );
  }
  return check.ok && (derived ?? []).length === 0 ? 0 : 15;
}

function show(
  { check, checkpoint, pruned }: CheckpointVerdict,
  logId: string | null,
  cli: Cli,
  { treeSeq, signatures, trusting, proven }: Beside,
): void {
  const { paint } = cli;
  if (!check.ok) return showBroken(check, logId, trusting, cli);
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
  logId: string | null,
  trusting: string | null,
  cli: Cli,
): void {
  const { paint } = cli;
  cli.out(flowed(`${paint.red(paint.bold('BROKEN'))} at entry ${check.seq}: ${clean(check.reason)}`, cli.width));
  const are = check.count === 1 ? 'is' : 'are';
  const before = `  ${entriesOf(check.count)} before it ${are} whole${logId === null ? '' : `; the log is ${logId}`}`;
  cli.out(flowed(before, cli.width));
  if (trusting !== null)
    return cli.note(`\nnext: where aip doctor shows this key on the verifier: aip logs verify ${clean(trusting)}`);
  cli.note('\nnext: keep a copy of the state file, and compare with the mesh or a checkpoint before trusting the rest');
}

function entriesOf(count: number): string {
  return counted(count, 'entry', 'entries');
}
