import { resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { judgePassport } from '../../app/judge-passport.js';
import { passportText } from '../../app/issue-passport.js';
import { readInput } from '../input.js';
import { principalPins, RESOLVE_OPTIONS, type ResolveFlags } from '../pins.js';
import { clean } from '../render/text.js';
import type { CommandSpec } from '../spec.js';
import { localState } from '../wiring.js';

interface Options extends ResolveFlags {
  readonly older?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'import'],
  summary: 'Make a passport known on this machine, after checking who signed it',
  args: [{ name: 'path', description: 'passport file (- for stdin)', values: 'file' }],
  options: [
    { title: 'Whom to trust', options: RESOLVE_OPTIONS },
    {
      title: 'Versions',
      options: [{ flags: '--older', description: 'replace a known passport by one issued earlier' }],
    },
  ],
  examples: [{ run: 'aip passport import support-agent-v1.passport.json', why: 'on a machine that verifies' }],
  exits: { 3: 'the file does not exist or is not JSON', 10: 'the passport is refused: AIP-E103 or AIP-E104' },
  touches: ['files', 'state', 'network'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const path = args[0]!;
    const now = cli.io.now();
    const { report, passport } = await judgePassport(
      await readInput(path, cli),
      path,
      await principalPins(cli, options),
      now,
    );
    if (passport === null || !report.valid) {
      const hint =
        report.principal === null
          ? 'aip passport lint <file>'
          : `if you trust it: aip principal add ${report.principal} --public-key <key>`;
      throw new Failure('PASSPORT_REFUSED', `${report.error_code} ${report.error_message}: ${report.message}`, {
        hint,
      });
    }
    const state = await localState(cli);
    const { agent, document } = passport;
    const known = state.passport(agent.id);
    const knownIssued = known === null ? null : (JSON.parse(known.text) as { issued_at: string }).issued_at;
    // An agent could otherwise bring back the wider limits it once had.
    if (knownIssued !== null && document.issued_at < knownIssued && options.older !== true) {
      throw new Failure('USAGE', `The known passport of ${agent.id} was issued later (${knownIssued}).`, {
        hint: 'if the older one is meant: --older',
      });
    }
    state.rememberPassport({
      agentId: agent.id,
      name: agent.name,
      text: passportText(document),
      path: path === '-' ? null : resolve(cli.io.cwd, path),
      addedAt: now,
    });
    const changed = known === null ? 'imported' : knownIssued === document.issued_at ? 'known already' : 'replaced';
    if (cli.globals.json)
      cli.json({ agent_id: agent.id, key_id: document.key_id, issued_at: document.issued_at, result: changed });
    else cli.out(`${cli.paint.green(changed)} ${clean(agent.id)}`);
    return 0;
  },
};
