/** Where a command's key is made, found or asked: one rule for the flags of all that have one. */
import { Failure } from '../../app/failure.js';
import type { Environment } from '../../app/ports/secrets.js';
import type { KeyPlace, KeyStoreName } from '../../app/ports/state.js';
import {
  KEY_ADDRESS_FORMS,
  looksLikeKeyAddress,
  parseKeyAddress,
  type KeyAddressText,
} from '../../protocol/identity/key-address.js';
import { DEFAULT_KEY_STORE, GUARDED_KEY_STORES, KEY_STORE_NAMES } from '../../workspace/key-stores.js';
import type { KeyPlaces } from '../../workspace/key-places.js';
import type { OptionSpec } from '../spec.js';
import type { PassphraseFlags } from './options.js';

/** What the options below read. */
export interface KeyPlaceFlags extends PassphraseFlags {
  readonly key?: KeyAddressText;
  readonly keyCommand?: string;
  readonly keyStore?: KeyStoreName;
  readonly envFile?: string;
}

/** Where a private key is made, or found and asked. */
export const KEY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--key-store <store>', description: 'where the private key lives', choices: KEY_STORE_NAMES },
  {
    flags: '--key <address>',
    description: 'a key that is asked where it lives: ssh-agent:, hashivault://, awskms:/// or cmd: (aip help keys)',
    value: keyAddress,
  },
  {
    // Node takes a `--env-file` after the script's name for its own as well: it ends the process when there is no such file
    // yet, and obeys the NODE_OPTIONS in one that is there. The `--` in the first line of bin/aip.cjs keeps it from that; who
    // runs the script by `node bin/aip.cjs` has the short form.
    flags: '-e, --env-file <file>',
    description: 'file that holds AGENT_PRIVATE_KEY (plain text, mode 0600)',
    values: 'file',
  },
];

/** The same for commands that sign, and a secret that a manager hands out for one signature. */
export const SIGNING_KEY_OPTIONS: readonly OptionSpec[] = [
  ...KEY_OPTIONS,
  {
    flags: '--key-command <command>',
    description: 'shell command that prints the private key, e.g. op read op://ops/bot/key',
  },
];

/** The principal's or approver's key, where a command has no other. */
export const ISSUER_KEY_OPTION: OptionSpec = {
  flags: '--key <address>',
  description: 'ask the key that signs there, this once (default: where it was made or imported; aip help keys)',
  value: keyAddress,
};

/** What ISSUER_KEY_OPTION reads, as opening keys takes it. */
export function issuerPlace<T extends { readonly key?: KeyAddressText }>(flags: T): T & KeyPlaces {
  return flags.key === undefined ? flags : { ...flags, issuerAt: flags.key };
}

/** The address of a key in `text`. @throws Error in the words of an option's problem */
export function keyAddress(text: string): KeyAddressText {
  if (parseKeyAddress(text) !== null) return text as KeyAddressText;
  throw new Error(`Expected one of ${Object.values(KEY_ADDRESS_FORMS).join(', ')}`);
}

/** Where a new key goes. @throws Failure USAGE for the environment without a file, and for two places */
export function newKeyPlace(options: KeyPlaceFlags, configured: KeyPlace): KeyPlace {
  requireOnePlace(options);
  if (options.key !== undefined) return options.key;
  const place = options.keyStore ?? (options.envFile === undefined ? configured : 'env');
  if (place !== 'env' || options.envFile !== undefined) return place;
  throw new Failure('USAGE', 'A new key for the environment has to be written to a file.', {
    hint: 'name it with --env-file <file>',
  });
}

/** Where a principal's key goes unless it is said: never into plain text, and not where only the agent's key lives. */
export function principalKeyPlace(
  agent: KeyPlace,
  { passphraseFile, passphraseFd }: KeyPlaceFlags,
  configured: KeyPlace | null,
  env: Environment,
): KeyPlace {
  if (agent === 'keychain' || agent === 'file') return agent;
  if (configured !== null && configured !== 'env') return configured;
  const passphrase = passphraseFile ?? passphraseFd ?? env['AIP_KEY_PASSPHRASE'] ?? '';
  return passphrase === '' ? DEFAULT_KEY_STORE : 'file';
}

/** A store for principals, or an address. @throws Error in the words of an option's problem */
export function principalPlace(text: string): KeyPlace {
  const store = GUARDED_KEY_STORES.find((name) => name === text);
  if (store !== undefined) return store;
  if (looksLikeKeyAddress(text)) return keyAddress(text);
  throw new Error(`is neither ${GUARDED_KEY_STORES.join(', ')} nor the address of a key`);
}

/** A place named by flag; null where none is. */
export function namedKeyPlace(options: KeyPlaceFlags): KeyPlace | null {
  requireOnePlace(options);
  if (options.key !== undefined) return options.key;
  if (options.keyStore !== undefined) return options.keyStore;
  return options.envFile === undefined && options.keyCommand === undefined ? null : 'env';
}

function requireOnePlace({ key, keyStore, envFile, keyCommand }: KeyPlaceFlags): void {
  const alone = [key, keyCommand].filter((one) => one !== undefined).length;
  if (alone === 0 || (alone === 1 && keyStore === undefined && envFile === undefined)) return;
  throw new Failure('USAGE', 'The key is said to be at two places.', {
    hint: 'give one of --key, --key-command, --key-store and --env-file',
  });
}
