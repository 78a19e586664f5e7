import { resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { judgePassport } from '../../../app/passports/judge.js';
import { NATIVE_CODES } from '../../../protocol/codes.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { passportOf, type Passport } from '../../../protocol/passport.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { principalPins, RESOLVE_OPTIONS, type ResolveFlags } from '../../passports/pins.js';
import { KEY_OPTIONS, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { importReference, isReferenceFolder, type ImportFlags } from '../../aip1/reference-folder.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { printUnwritten } from '../../passports/out.js';
import { localState } from '../../../workspace/state.js';

interface Options extends ResolveFlags, ImportFlags {
  readonly older?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'import'],
  summary: 'Make a passport known on this machine, after checking who signed it',
  args: [
    { name: 'path', description: 'passport file (- for stdin), or a passport folder of aip-protocol', values: 'file' },
  ],
  options: [
    { title: 'Whom to trust', options: RESOLVE_OPTIONS },
    {
      title: 'Versions',
      options: [{ flags: '--older', description: 'replace a known passport by one issued earlier' }],
    },
    {
      title: 'A folder of aip-protocol: its key is taken over, your principal signs',
      options: [
        { flags: '-o, --out <file>', description: 'passport file (default <name>.passport.json)', values: 'file' },
        { flags: '-a, --action <name>', description: 'an action, where the folder allows any', repeatable: true },
        ...KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip passport import support-agent-v1.passport.json', why: 'on a machine that verifies' },
    { run: 'aip passport import ./my-agent --key-store file', why: 'an agent made with Python' },
  ],
  exits: {
    3: 'the file does not exist or is not JSON',
    4: 'a folder: the key store is missing, locked or refuses',
    5: '--resolve could not fetch',
    10: 'the passport is refused: AIP-E103 or AIP-E104',
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const path = args[0]!;
    if (await isReferenceFolder(path)) return takenOver(path, options, cli);
    const now = cli.io.now();
    const bytes = await readInput(path, cli);
    const pins = await principalPins(cli, options);
    const { report, passport } = await judgePassport(bytes, path, pins, now);
    if (passport === null || !report.valid) {
      // Where the principal is pinned the passport was edited: another pin is what a forger would ask for.
      const again =
        passport === null ||
        report.error_code === NATIVE_CODES.PASSPORT_EXPIRED.code ||
        (await pins(passport.document.principal)).length > 0;
      const hint = again
        ? 'get it again from its principal'
        : `if you trust it: aip principal add ${report.principal} --public-key <key>`;
      throw new Failure('PASSPORT_REFUSED', `${report.error_code} ${report.error_message}: ${report.message}`, {
        hint,
      });
    }
    const state = await localState(cli.workspace);
    const { agent, document } = passport;
    const known = state.passport(agent.id);
    const before = known === null ? null : readable(known.text);
    // An agent could otherwise bring back the wider limits it once had.
    if (before !== null && passport.issuedAt < before.issuedAt && options.older !== true) {
      throw new Failure('USAGE', `The known passport of ${agent.id} was issued later (${before.document.issued_at}).`, {
        hint: 'if the older one is meant: --older',
      });
    }
    state.rememberPassport({
      agentId: agent.id,
      name: agent.name,
      // As it came: what is written differently is signed differently.
      text: Buffer.from(bytes).toString('utf8'),
      path: path === '-' ? null : resolve(cli.io.cwd, path),
      addedAt: now,
    });
    const same = before !== null && Buffer.compare(before.signedBytes, passport.signedBytes) === 0;
    const changed = known === null ? 'imported' : same ? 'known already' : 'replaced';
    if (cli.globals.json)
      cli.json({ agent_id: agent.id, key_id: document.key_id, issued_at: document.issued_at, result: changed });
    else cli.out(`${cli.paint.green(changed)} ${clean(agent.id)}`);
    return 0;
  },
};

/** A known passport that cannot be read says nothing about versions, and may be replaced. */
function readable(text: string): Passport | null {
  try {
    return passportOf(parseJsonText(text));
  } catch (error) {
    if (error instanceof ShapeError || error instanceof JsonError) return null;
    throw error;
  }
}

/** Says what became of a folder. */
async function takenOver(folder: string, options: Options, cli: Cli): Promise<number> {
  const { passport, key, path, principalKeyPinned } = await importReference(folder, options, cli);
  const { agent_id, key_id, principal, issued_at } = passport.document;
  if (cli.globals.json) {
    cli.json({
      agent_id,
      key_id,
      issued_at,
      result: 'imported',
      passport: path,
      key_store: key.store,
      key_ref: key.ref,
    });
    return 0;
  }
  const say = printUnwritten(path, passport.document, cli);
  say(`${cli.paint.green('imported')} ${clean(agent_id)}`);
  const rows: [string, string][] = [
    ['passport', path ?? 'stdout'],
    ['private key', `${key.store}: ${key.ref}`],
    [
      'signed by',
      `${principal}${principalKeyPinned === null ? '' : `  (${principalKeyPinned.made ? 'a new key' : 'found in the key store'}, pinned here)`}`,
    ],
  ];
  for (const [label, value] of rows) say(`  ${cli.paint.dim(label.padEnd(11))}  ${clean(value)}`);
  cli.note(
    `\nThe folder still holds the private key; when the agent no longer needs it: rm ${clean(folder)}/private.pem`,
  );
  return 0;
}
