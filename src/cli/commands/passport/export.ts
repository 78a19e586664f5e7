import { join, resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { requireIssued } from '../../../app/keys/principals.js';
import { unspokenConstraints } from '../../../protocol/aip1/speaker.js';
import type { Passport } from '../../../protocol/passport.js';
import type { Cli } from '../../cli.js';
import { agentDidDocument, domainDidDocument, toJwk, toPem } from '../../../protocol/identity/did-document.js';
import { didDocumentUrl, keyNumber } from '../../../protocol/identity/did.js';
import { didFile } from '../../passports/did-file.js';
import { PASSPHRASE_OPTIONS } from '../../input/options.js';
import { SIGNING_KEY_OPTIONS } from '../../input/key-place.js';
import { exportReference, type ExportFlags } from '../../aip1/reference-folder.js';
import { clean } from '../../render/terminal/text.js';
import { columnsOf } from '../../render/terminal/width.js';
import type { CommandSpec } from '../../spec.js';
import { createFile, FORCE, replaceFile } from '../../../workspace/files.js';
import { finding } from '../../../workspace/keys.js';
import { documentReader } from '../../input/documents.js';

interface Options extends ExportFlags {
  readonly format: 'did' | 'jwk' | 'pem' | 'aip-1';
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'export'],
  summary: "Write an agent's public identity in another form",
  detail:
    'did writes two did.json files into a folder laid out like the web server that will serve them, and adds its keys to those that stand there; jwk and pem print the public key; aip-1 writes the folder that the Python package aip-protocol loads.',
  args: [
    {
      name: 'agent',
      description: 'agent id, name of a known passport, or a passport file (- for stdin)',
      values: 'agent',
    },
  ],
  options: [
    {
      title: 'Form',
      options: [
        {
          flags: '--format <form>',
          description: 'what to write',
          choices: ['did', 'jwk', 'pem', 'aip-1'],
          default: 'did',
        },
        {
          flags: '-o, --out <path>',
          description: 'folder (default: the current one for did, its name for aip-1) or file (jwk, pem); - prints',
          values: 'file',
        },
        { flags: '--force', description: 'replace files that exist' },
      ],
    },
    {
      title: 'The private key (aip-1)',
      options: [
        { flags: '--with-private-key', description: 'write private.pem too, encrypted with the passphrase' },
        { flags: '--unencrypted', description: 'write it in plain text, for versions that open nothing else' },
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    {
      run: 'aip passport export support-agent-v1 --format did --out public/',
      why: 'did.json of the agent and of its domain',
    },
    { run: 'aip passport export support-agent-v1 --format pem', why: 'the public key for OpenSSL' },
    { run: 'aip passport export support-agent-v1 --format aip-1 --with-private-key', why: 'move an agent to Python' },
  ],
  exits: {
    3: 'the passport is not known',
    4: 'the key store is missing, locked or refuses',
    10: 'the passport was edited, or its principal is not pinned',
  },
  touches: ['files', 'state', 'keychain'],
  onlyReads: true,
  topics: ['passports'],

  async run({ args, options }, cli) {
    const deps = await finding(cli.workspace, documentReader(cli));
    const { passport } = await findPassport(deps, args[0]!);
    requireIssued(deps.state, passport);
    if (options.format === 'aip-1') return asFolder(passport, options, cli);
    if (options.withPrivateKey === true)
      throw new Failure('USAGE', `A private key is never exported as ${options.format}.`, { hint: '--format aip-1' });
    const { currentKey, document } = passport;
    const write = options.force === true ? replaceFile : (path: string, text: string) => createFile(path, text, FORCE);
    if (options.format !== 'did') {
      const { publicKey } = currentKey.key;
      const text =
        options.format === 'pem'
          ? toPem(publicKey)
          : `${JSON.stringify(toJwk(publicKey, currentKey.keyId), null, 2)}\n`;
      if (options.out === undefined || options.out === '-') cli.out(text.trimEnd());
      else await write(resolve(cli.io.cwd, options.out), text);
      return 0;
    }
    const pins = deps.state.pins(document.principal);
    if (pins.length === 0) throw new Failure('NOT_FOUND', `${document.principal} is not pinned here.`);
    const documents = {
      [document.principal]: domainDidDocument(document.principal, pins),
      [document.agent_id]: agentDidDocument(document),
    };
    if (options.out === '-') {
      cli.json(documents);
      return 0;
    }
    const files = Object.entries(documents).map(([did, fresh]) => ({
      did,
      path: join(options.out ?? '.', ...new URL(didDocumentUrl(did)).pathname.split('/')),
      url: didDocumentUrl(did),
      fresh,
    }));
    const written = [];
    for (const { did, path, url, fresh } of files) {
      // Of an agent's keys the passport is the list; a domain may have keys that are not pinned here.
      const isOwn = (id: string): boolean => did === document.agent_id && keyNumber(did, id) !== null;
      const file = await didFile({ path: resolve(cli.io.cwd, path), fresh, isOwn }, options.force === true);
      written.push({ did, path, url, file });
    }
    for (const { file } of written) await file.write();
    for (const { path, file } of written) {
      if (file.lost.length > 0)
        cli.warn(`${path} held before and does not any more: ${file.lost.join(', ')}.`, 'replaced');
    }
    if (cli.globals.json)
      cli.json(written.map(({ did, path, url, file: { kept, lost } }) => ({ did, path, url, kept, lost })));
    else {
      const column = Math.max(...written.map(({ path }) => columnsOf(clean(path))));
      for (const { path, url, file } of written) {
        const kept = file.kept.length === 0 ? '' : `; ${file.kept.length} of others kept`;
        const shown = clean(path);
        const gap = ' '.repeat(column - columnsOf(shown) + 2);
        cli.out(`${shown}${gap}${cli.paint.dim(`serve as ${clean(url)}${kept}`)}`);
      }
    }
    return 0;
  },
};

async function asFolder(passport: Passport, options: Options, cli: Cli): Promise<number> {
  if (options.out === '-')
    throw new Failure('USAGE', 'A folder cannot be printed.', { hint: 'name it with --out <folder>' });
  if (options.unencrypted === true && options.withPrivateKey !== true)
    throw new Failure('USAGE', 'There is no private key to leave unencrypted.', { hint: '--with-private-key' });
  const exported = await exportReference(passport, options, cli);
  const unspoken = unspokenConstraints(passport);
  if (unspoken.length > 0)
    cli.warn(
      `AIP-1 has no words for ${unspoken.join(', ')}: only verifiers that know this passport hold the agent to them.`,
      'left-behind',
    );
  if (exported.private_key === 'unencrypted')
    cli.warn('private.pem is not encrypted: who reads it can sign as the agent.', 'unencrypted-key');
  if (cli.globals.json) cli.json({ agent_id: passport.agent.id, ...exported });
  else for (const path of exported.files) cli.out(clean(path));
  return 0;
}
