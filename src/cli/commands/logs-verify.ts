import { checkLog, type LogCheck } from '../../app/check-log.js';
import type { Cli } from '../cli.js';
import { clean } from '../render/text.js';
import type { CommandSpec } from '../spec.js';
import { localState } from '../wiring.js';

/** Entries between two words to whoever waits. */
const STRIDE = 250_000;

export const command: CommandSpec = {
  path: ['logs', 'verify'],
  summary: 'Check that nobody changed, removed, reordered or added entries of the verification log',
  detail: 'A cut-off end together with a changed head shows only against a checkpoint that is kept elsewhere.',
  examples: [
    { run: 'aip logs verify', why: 'after an incident, before the log is believed' },
    { run: 'aip logs verify --json | jq .first_bad_seq', why: 'where it broke' },
  ],
  exits: { 3: 'the state file is damaged or cannot be read', 15: 'the chain is broken' },
  touches: ['state'],
  topics: ['json', 'security'],

  async run(_, cli) {
    const state = await localState(cli);
    let said = 0;
    const pause = async (checked: number): Promise<void> => {
      if (checked - said >= STRIDE) cli.note(`${(said = checked)} entries checked`);
      // Lets Ctrl-C through.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const check = await checkLog(state, { newest: null, pause });
    if (cli.globals.json) {
      const { ok, count, head } = check;
      const bad = check.ok ? { first_bad_seq: null, reason: null } : { first_bad_seq: check.seq, reason: check.reason };
      cli.json({ ok, count, head: { seq: head.seq, hash: head.hash }, log_id: state.logId, ...bad });
    } else show(check, state.logId, cli);
    return check.ok ? 0 : 15;
  },
};

function show(check: LogCheck, logId: string, cli: Cli): void {
  const { paint } = cli;
  const entries = check.count === 1 ? '1 entry' : `${check.count} entries`;
  if (!check.ok) {
    cli.out(`${paint.red(paint.bold('BROKEN'))} at entry ${check.seq}: ${clean(check.reason)}`);
    cli.out(`  ${entries} before it ${check.count === 1 ? 'is' : 'are'} whole; the log is ${logId}`);
    cli.note(
      '\nnext: keep a copy of the state file, and compare with the mesh or a checkpoint before trusting the rest',
    );
  } else if (check.head.seq === 0) cli.out(`${paint.green(paint.bold('ok'))} the log is empty`);
  else {
    cli.out(`${paint.green(paint.bold('ok'))} the hash chain of ${entries} is whole`);
    cli.out(`  ${paint.dim('head')}  ${check.head.seq}  ${check.head.hash}`);
    cli.out(`  ${paint.dim('log')}   ${logId}`);
  }
}
