/** Options that several commands declare alike. */
import type { OptionSpec } from '../spec.js';
import { integer } from './values.js';

/** What PASSPHRASE_OPTIONS read. */
export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
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
