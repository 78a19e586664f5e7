/** Options that several commands declare alike. */
import type { KeyStoreName } from '../../app/ports/state.js';
import type { OptionSpec } from '../spec.js';
import { KEY_STORE_NAMES } from '../../workspace/key-stores.js';
import { integer } from './values.js';

/** Where a private key is made or found. */
export const KEY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--key-store <store>', description: 'where the private key lives', choices: KEY_STORE_NAMES },
  {
    // Node takes a `--env-file` after the script's name for its own as well: it ends the process when there is no such file
    // yet, and obeys the NODE_OPTIONS in one that is there. The `--` in the first line of bin/aip.cjs keeps it from that; who
    // runs the script by `node bin/aip.cjs` has the short form.
    flags: '-e, --env-file <file>',
    description: 'file that holds AGENT_PRIVATE_KEY (plain text, mode 0600)',
    values: 'file',
  },
];

/** What PASSPHRASE_OPTIONS read. */
export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

/** What KEY_OPTIONS and PASSPHRASE_OPTIONS read. */
export interface KeyPlaceFlags extends PassphraseFlags {
  readonly keyStore?: KeyStoreName;
  readonly envFile?: string;
}

/** Where the passphrase of key files comes from; never an argument, which every process of the machine can read. */
export const PASSPHRASE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--passphrase-file <file>',
    description: 'file with the passphrase of key files, - for stdin (or set AIP_KEY_PASSPHRASE)',
    values: 'file',
  },
  {
    flags: '--passphrase-fd <n>',
    description: 'read that passphrase from an open file descriptor',
    value: integer(0, 1023),
  },
];

/** Of `--out`, where keys, passports and checkpoints go: those are replaced only by who says so. */
export const FORCE_OPTION: OptionSpec = { flags: '--force', description: 'replace the file that --out names' };

export const YES_OPTION: OptionSpec = { flags: '-y, --yes', description: 'do not ask' };
