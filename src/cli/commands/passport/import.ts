import { whereabouts } from '../../../app/keys/keyring.js';
import { join, resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { importPassport } from '../../../app/passports/import.js';
import { lintSchemas } from '../../../app/passports/lint/schemas.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { principalPins, RESOLVE_OPTIONS, type ResolveFlags } from '../../passports/pins.js';
import { FORCE_OPTION, IMPORTED_PASSPHRASE_OPTIONS, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { KEY_OPTIONS } from '../../input/key-place.js';
import { importReference, isReferenceFolder, type ImportFlags } from '../../aip1/reference-folder.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { printUnwritten } from '../../passports/out.js';
import { fileExists } from '../../../workspace/files.js';
import { loadSchemaProblem } from '../../../workspace/keys.js';
import { localState } from '../../../workspace/state.js';

interface Options extends ResolveFlags, ImportFlags {
  readonly older?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'import'],
  summary: 'Make a passport known on this machine, after checking who signed it',
  args: [
    {
      name: 'path',
      description: 'passport files (- for stdin), or passport folders of aip-protocol',
      variadic: true,
      values: 'file',
    },
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
        FORCE_OPTION,
        ...KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
        ...IMPORTED_PASSPHRASE_OPTIONS,
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
    13: 'the key that signed it is denied: AIP-E406',
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const [only, ...others] = args;
    if (others.length === 0) {
      const answer = await importOne(only!, options, cli);
      if (cli.globals.json) cli.json(answer);
      return 0;
    }
    if (options.out !== undefined)
      throw new Failure('USAGE', 'One --out for several paths would hold the last of them.', {
        hint: 'import the folder by itself',
      });
    // Each by itself: one that is refused must not keep the others away.
    const answers: object[] = [];
    let code = 0;
    for (const path of args) {
      try {
        answers.push({ source: path, ...(await importOne(path, options, cli)) });
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (code === 0) code = error.exitCode;
        answers.push({ source: path, result: 'refused', code: error.code, message: error.message });
        cli.warn(`${path}: ${error.message}`, error.code);
      }
    }
    if (cli.globals.json) cli.json(answers);
    return code;
  },
};

async function importOne(path: string, options: Options, cli: Cli): Promise<object> {
  if (await isReferenceFolder(path)) return takenOver(path, options, cli);
  const deps = {
    state: await localState(cli.workspace),
    pins: await principalPins(cli, options),
    fileExists,
    now: cli.io.now(),
  };
  const { passport, result } = await importPassport(deps, await readInput(path, cli), {
    source: path,
    path: path === '-' ? null : resolve(cli.io.cwd, path),
    older: options.older === true,
  });
  const { agent, document, serial } = passport;
  for (const { message } of lintSchemas(document, await loadSchemaProblem())) cli.warn(message, 'schema_unusable');
  if (!cli.globals.json) cli.out(`${cli.paint.green(result)} ${clean(agent.id)}`);
  return {
    agent_id: agent.id,
    key_id: document.key_id,
    issued_at: document.issued_at,
    serial,
    passport_hash: passport.hash(),
    result,
  };
}

/** Says what became of a folder. */
async function takenOver(folder: string, options: Options, cli: Cli): Promise<object> {
  const { passport, key, path, principalKeyPinned } = await importReference(folder, options, cli);
  const { agent_id, key_id, principal, issued_at } = passport.document;
  const answer = {
    agent_id,
    key_id,
    issued_at,
    result: 'imported',
    passport: path,
    key_store: key.store,
    key_ref: key.ref,
  };
  if (cli.globals.json) return answer;
  const say = printUnwritten(path, passport.document, cli);
  say(`${cli.paint.green('imported')} ${clean(agent_id)}`);
  const rows: [string, string][] = [
    ['passport', path ?? 'stdout'],
    ['private key', whereabouts(key)],
    [
      'signed by',
      `${principal}${principalKeyPinned === null ? '' : `  (${principalKeyPinned.made ? 'a new key' : 'found in the key store'}, pinned here)`}`,
    ],
  ];
  for (const [label, value] of rows) say(`  ${cli.paint.dim(label.padEnd(11))}  ${clean(value)}`);
  cli.note(
    `\nThe folder still holds the private key; when the agent no longer needs it: rm ${shellWord(clean(join(folder, 'private.pem')))}`,
  );
  return answer;
}
