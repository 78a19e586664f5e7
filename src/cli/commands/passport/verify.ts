import { EXIT_OF_CONCERN, NATIVE_CODES } from '../../../protocol/codes.js';
import { judgePassport } from '../../../app/passports/judge.js';
import { readInput } from '../../input/documents.js';
import { knownPassport } from '../../policy/documents.js';
import { renderPassportVerdict } from '../../render/passport-verdict.js';
import { flowed } from '../../render/terminal/text.js';
import { localState } from '../../../workspace/state.js';
import { principalPins, RESOLVE_OPTIONS, type ResolveFlags } from '../../passports/pins.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<ResolveFlags> = {
  path: ['passport', 'verify'],
  summary: 'Check that a passport is whole, signed by a pinned principal, and in force',
  args: [
    {
      name: 'agent',
      description: 'passport file (- for stdin), or agent id or name of a known passport',
      values: 'agent',
    },
  ],
  options: [{ title: 'Whom to trust', options: RESOLVE_OPTIONS }],
  examples: [
    { run: 'aip passport verify support-agent-v1.passport.json', why: 'against the principals pinned here' },
    { run: 'aip passport verify support-agent-v1', why: 'one that this machine knows' },
    {
      run: 'aip passport verify bot.passport.json --principal-key did:web:acme.com=ed25519:<hex>',
      why: 'without state',
    },
  ],
  exits: {
    3: 'the passport is not known, or the file does not exist or is not JSON',
    5: '--resolve could not fetch',
    10: 'refused: AIP-E103 or AIP-E104',
    13: 'refused: AIP-E406, the key that signed it is denied',
  },
  touches: ['state', 'files', 'network'],
  onlyReads: true,
  topics: ['passports', 'verification'],

  async run({ args, options }, cli) {
    const path = args[0]!;
    const known = await knownPassport(path, cli);
    const bytes = known === null ? await readInput(path, cli) : Buffer.from(known.passport.text());
    const pins = await principalPins(cli, options);
    const verdict = await judgePassport(bytes, path, pins, cli.io.now(), await localState(cli.workspace));
    if (cli.globals.json) cli.json(verdict.report);
    else cli.out(flowed(renderPassportVerdict(verdict, cli.paint), cli.width));
    const { error_code: code } = verdict.report;
    return code === null ? 0 : EXIT_OF_CONCERN[code === NATIVE_CODES.KEY_REVOKED.code ? 'standing' : 'who'];
  },
};
