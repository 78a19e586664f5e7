import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isHeld, whereabouts } from '../../../app/keys/keyring.js';
import { importKey, type ImportRequest } from '../../../app/keys/import-key.js';
import { Failure } from '../../../app/failure.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import type { Cli } from '../../cli.js';
import {
  IMPORTED_PASSPHRASE_OPTIONS,
  importedPassphrase,
  PASSPHRASE_OPTIONS,
  wrongOfImported,
  YES_OPTION,
  type ImportedPassphraseFlags,
} from '../../input/options.js';
import { KEY_OPTIONS, newKeyPlace, type KeyPlaceFlags } from '../../input/key-place.js';
import { agreeToSecond } from '../../passports/second-pin.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { keyring, pemFiles } from '../../../workspace/keys.js';
import { looksLikeKeyAddress } from '../../../protocol/identity/key-address.js';
import { localState } from '../../../workspace/state.js';

interface Options extends KeyPlaceFlags, ImportedPassphraseFlags {
  readonly id?: string;
  readonly yes?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['key', 'import'],
  summary: 'Take a private key that you have into a key store of this machine',
  detail:
    "PKCS#8 (also encrypted), SEC 1, OpenSSH, JWK or ed25519:<hex>, with text around it; Ed25519 only. Key text does not say which half it is: compare the public key that is printed. A principal's key is pinned, so that it can sign passports here. The file stays as it is.",
  args: [{ name: 'file', description: 'the key, - for stdin', values: 'file', required: false }],
  options: [
    {
      title: 'The key',
      options: [
        {
          flags: '--id <key id>',
          description: 'its id, <did>#key-<n> (default: the one that a pin or passport here gives it)',
        },
        ...IMPORTED_PASSPHRASE_OPTIONS,
        YES_OPTION,
      ],
    },
    { title: 'Where it goes', options: [...KEY_OPTIONS, ...PASSPHRASE_OPTIONS] },
  ],
  examples: [
    { run: 'aip key import ~/.ssh/id_ed25519 --id did:web:acme.com#key-1', why: "an SSH key as the principal's" },
    {
      run: 'aip key import old.pem --from-passphrase-file old.pass --key-store file',
      why: 'with another passphrase than the keys here',
    },
    {
      run: 'vault kv get -field=key secret/agent | aip key import - --id did:web:acme.com:agents:bot#key-1',
      why: 'a secret manager hands it out',
    },
    {
      run: 'aip key import --key ssh-agent:me@laptop --id did:web:acme.com#key-1',
      why: 'a key that stays in its agent signs passports here',
    },
  ],
  exits: {
    3: 'the file does not exist, or holds no Ed25519 key',
    4: 'the key store refuses, or the passphrase is wrong',
  },
  touches: ['files', 'state', 'keychain'],
  topics: ['keys'],

  async run({ args, options }, cli) {
    const [ring, state] = await Promise.all([keyring(cli.workspace, options), localState(cli.workspace)]);
    const request: ImportRequest = {
      from: await source(args[0], options, cli),
      keyId: options.id ?? null,
      secondPin: (did, pins) => agreeToSecond(did, pins, options.yes === true, '--yes', cli),
    };
    const made = await importKey({ ...ring, state }, request);
    if (cli.globals.json) {
      cli.json({
        key_id: made.keyId,
        public_key: formatPublicKey(made.publicKey),
        key_store: made.record.store,
        key_ref: made.record.ref,
        pinned: made.pinned,
        changed: made.changed,
      });
      return 0;
    }
    const { paint } = cli;
    cli.out(`${paint.green(made.changed ? 'imported' : 'held already')} ${clean(made.keyId)}`);
    cli.out(`  ${paint.dim('public key')}  ${formatPublicKey(made.publicKey)}${made.pinned ? ', pinned here' : ''}`);
    cli.out(`  ${paint.dim('kept in   ')}  ${made.record.store}, ${clean(made.record.ref)}`);
    if (made.before !== null) {
      cli.out(`  ${paint.dim('before    ')}  ${clean(whereabouts(made.before))}`);
      if (isHeld(made.before.store)) cli.note('\nThe copy there stays; delete it when nothing else uses it.');
    }
    const [file = '-'] = args;
    if (file !== '-' && !(isHeld(made.record.store) && isSameFile(resolve(cli.io.cwd, file), made.record.ref)))
      cli.note('\nThe file still holds the key; delete it when nothing else uses it.');
    return 0;
  },
};

/** True where the file that was given is the one that the store keeps the key in. */
function isSameFile(file: string, ref: string): boolean {
  const [given, kept] = [file, ref].map((path) => statSync(path, { throwIfNoEntry: false }));
  return given !== undefined && given.ino === kept?.ino && given.dev === kept.dev;
}

async function source(file: string | undefined, options: Options, cli: Cli): Promise<ImportRequest['from']> {
  if ((file === undefined) === (options.key === undefined))
    throw new Failure('USAGE', 'Name a file with the key, or the address where it lives.', {
      hint: 'aip key import <file>, or: aip key import --key ssh-agent:<comment>',
    });
  if (file === undefined) return { address: options.key! };
  const store = newKeyPlace(options, (await cli.config()).get('key_store'));
  if (looksLikeKeyAddress(store))
    throw new Failure('USAGE', `A key that is in a file cannot be put into ${store}.`, { hint: 'give --key-store' });
  const given = await pemFiles(cli.workspace, importedPassphrase(options));
  try {
    return { seed: await given.take(file), store };
  } catch (error) {
    throw wrongOfImported(error, options);
  }
}
