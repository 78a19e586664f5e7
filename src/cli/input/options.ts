/** Options that several commands declare alike. */
import { Failure } from '../../app/failure.js';
import type { OptionSpec } from '../spec.js';
import { country, integer } from './values.js';

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

/** What IMPORTED_PASSPHRASE_OPTIONS read. */
export interface ImportedPassphraseFlags {
  readonly fromPassphraseFile?: string;
  readonly fromPassphraseFd?: number;
}

/** The passphrase of a key that comes from elsewhere, where it is another one than that of the key files here. */
export const IMPORTED_PASSPHRASE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--from-passphrase-file <file>',
    description: 'file with the passphrase of the imported key (default: that of key files)',
    values: 'file',
  },
  {
    flags: '--from-passphrase-fd <n>',
    description: 'read the passphrase of the imported key from an open file descriptor',
    value: integer(0, 1023),
  },
];

/** Where the passphrase of an imported key comes from. */
export function importedPassphrase(flags: PassphraseFlags & ImportedPassphraseFlags): PassphraseFlags {
  const { fromPassphraseFile, fromPassphraseFd } = flags;
  if (fromPassphraseFile === undefined && fromPassphraseFd === undefined) return flags;
  return {
    ...(fromPassphraseFile === undefined ? {} : { passphraseFile: fromPassphraseFile }),
    ...(fromPassphraseFd === undefined ? {} : { passphraseFd: fromPassphraseFd }),
  };
}

/** The failure of a wrong passphrase, with the flag that tells the two apart. */
export function wrongOfImported(error: unknown, flags: ImportedPassphraseFlags): unknown {
  const told = flags.fromPassphraseFile !== undefined || flags.fromPassphraseFd !== undefined;
  if (told || !(error instanceof Failure) || error.code !== 'WRONG_PASSPHRASE') return error;
  return new Failure(error.code, error.message, {
    hint: 'where the file has another passphrase than the keys here: --from-passphrase-file <file>',
    cause: error,
  });
}

/** Of `--out`, where keys, passports and checkpoints go: those are replaced only by who says so. */
export const FORCE_OPTION: OptionSpec = { flags: '--force', description: 'replace the file that --out names' };

/** What `geo_restriction` is judged by. */
export const GEO_OPTION: OptionSpec = {
  flags: '--geo <CC>',
  description: 'country of the request, for geo_restriction',
  value: country,
};

export const YES_OPTION: OptionSpec = { flags: '-y, --yes', description: 'do not ask' };
