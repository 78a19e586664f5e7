import { accessSync, constants as fileModes, lstatSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { fromSystem, meaningOf } from '../../../app/system-failures.js';
import { hasFileSizeLimit, requireDescriptors } from '../../files/descriptors.js';

/** What SQLite and the file system say, by the start of the code; in this order. */
const MEANINGS: readonly (readonly [RegExp, (path: string, code: string) => Failure])[] = [
  [/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/, busy],
  [/^(?:SQLITE_FULL|ENOSPC|EDQUOT)/, full],
  [/^SQLITE_(?:CORRUPT|NOTADB|FORMAT)/, damaged],
  [/^(?:SQLITE_(?:READONLY|PERM|AUTH)|EACCES|EPERM|EROFS)/, readOnly],
  [/^(?:SQLITE_CANTOPEN|ENOENT|ENOTDIR|EEXIST|EISDIR|ELOOP|ENAMETOOLONG)/, unopenable],
  [/^(?:SQLITE_(?:IOERR|NOLFS)|EIO)/, unreliable],
  [/^SQLITE_(?:NOMEM|TOOBIG)/, outOfMemory],
];

/** The Failure behind an error of SQLite or of the file system; anything else is returned as it is. */
export function stateFailure(error: unknown, path: string): unknown {
  const code = codeOf(error);
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code));
  if (meaning !== undefined) return because(meaning[1](path, code), error);
  const system = meaningOf(code);
  if (system === null) return error;
  return new Failure('STATE', `The state file ${path} cannot be used: ${system.meaning}.`, {
    hint: system.hint(shellWord(path)),
    retryable: system.retryable === true,
    cause: error,
  });
}

/** As `stateFailure`, of a copy into `target`: what is locked or damaged is the file that is read; all else is where it is written. */
export function copyFailure(error: unknown, path: string, target: string): unknown {
  return stateFailure(error, /^SQLITE_(?:BUSY|LOCKED|CORRUPT|NOTADB)/.test(codeOf(error)) ? path : target);
}

export function damaged(path: string): Failure {
  return new Failure('STATE', `The state file ${path} is damaged. Nothing was decided or changed.`, {
    hint: `restore it from a backup; or give up its log, pins and spent nonces: rm ${shellWord(path)}*`,
  });
}

export function foreign(path: string): Failure {
  return new Failure('STATE', `${path} is a database of another program, not the state of aip. Nothing was changed.`, {
    hint: 'set AIP_HOME to a folder of its own',
  });
}

export function newerStateFile(path: string, found: number, known: number): Failure {
  return new Failure(
    'STATE',
    `The state file ${path} was written by a newer aip (format ${found}; this one knows ${known}). Nothing was changed.`,
    { hint: 'npm install -g aip-cli@latest' },
  );
}

export function notAFile(path: string): Failure {
  return new Failure('STATE', `The state file ${path} is not a regular file.`, {
    hint: 'set AIP_HOME to a folder of its own',
  });
}

/** The native half of libsql does not load; neither does anything that needs the state. */
export function notInstalled(name: string, cause: unknown): Failure {
  // A package that cannot be opened is not a package that is missing.
  try {
    requireDescriptors();
  } catch (error) {
    const failure = fromSystem(error);
    if (failure !== null) return failure;
  }
  return new Failure('STATE', `SQLite cannot be loaded: the package ${name} is missing here, or broken.`, {
    hint: 'install again on this machine, optional packages included: npm install --include=optional',
    cause,
  });
}

/** The write-ahead log without its database: the database was removed, and a new one would take the old log for its own. */
export function orphaned(path: string): Failure {
  return new Failure('STATE', `The state file ${path} is gone, but its write-ahead log is still there.`, {
    hint: `restore ${path} from a backup; or give up its log, pins and spent nonces: rm ${shellWord(path)}-wal ${shellWord(path)}-shm`,
  });
}

function busy(path: string): Failure {
  return new Failure('STATE', `Other processes kept the state file ${path} locked. Nothing was decided or changed.`, {
    hint: `try again; see who holds it: lsof ${shellWord(path)}`,
    retryable: true,
  });
}

function full(path: string): Failure {
  return new Failure('STATE', `No space is left for the state file ${path}. Nothing was decided or changed.`, {
    hint: 'df -h',
    retryable: true,
  });
}

/** SQLite does not say whether the mode of the file or a mount stands in the way; the system does. */
function readOnly(path: string): Failure {
  const code = whyNotWritable(path);
  const why = code === 'EROFS' ? `: ${meaningOf(code)!.meaning}` : '';
  return new Failure('STATE', `The state file ${path} cannot be written${why}. Nothing was decided or changed.`, {
    hint: code === 'EROFS' ? meaningOf(code)!.hint(shellWord(path)) : `ls -l ${shellWord(path)}*`,
  });
}

function whyNotWritable(path: string): string | undefined {
  try {
    accessSync(path, fileModes.W_OK);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** A file where a folder should be is EEXIST to what makes folders, and ENOTDIR to all others. */
function unopenable(path: string, code: string): Failure {
  const system = meaningOf(code === 'EEXIST' ? 'ENOTDIR' : code);
  const why = system === null ? '' : `: ${system.meaning}`;
  return new Failure('STATE', `The state file ${path} cannot be opened${why}.`, {
    hint: `ls -ld ${shellWord(nearestThere(path))}`,
  });
}

/** The path, or the nearest one above it where something is. */
function nearestThere(path: string): string {
  try {
    lstatSync(path);
    return path;
  } catch {
    const above = dirname(path);
    return above === path ? path : nearestThere(above);
  }
}

function outOfMemory(path: string): Failure {
  return new Failure('STATE', `No memory is left for the state file ${path}. Nothing was decided or changed.`, {
    hint: meaningOf('ENOMEM')!.hint(shellWord(path)),
    retryable: true,
  });
}

/** SQLite takes paths of 512 bytes, those of the files beside the state included; a longer one fails in words that say nothing. */
const LONGEST_PATH = 480;

/** Throws where the path is too long for SQLite. */
export function requireShort(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= LONGEST_PATH) return;
  throw new Failure(
    'STATE',
    `The path of the state file has ${length} bytes, and SQLite takes at most ${LONGEST_PATH}: ${path.slice(0, 60)}...`,
    { hint: 'set AIP_HOME to a folder with a shorter path' },
  );
}

/** A state that may only be read, left behind by a process that was killed: what it wrote last cannot be read without a file beside it. */
export function unfinished(path: string): Failure {
  return new Failure(
    'STATE',
    `The state file ${path} may only be read here, and its last entries lie in a write-ahead log without its index.`,
    {
      hint: `let a user who may write it run: aip logs verify; or read a copy: cp ${shellWord(path)}* /tmp/ && aip --home /tmp logs verify`,
    },
  );
}

function unreliable(path: string): Failure {
  // SQLite says the same of a disk that failed and of a file that may grow no further.
  if (hasFileSizeLimit()) {
    const { meaning, hint } = meaningOf('EFBIG')!;
    return new Failure(
      'STATE',
      `The state file ${path} cannot be written: ${meaning}. Nothing was decided or changed.`,
      {
        hint: hint(shellWord(path)),
      },
    );
  }
  return new Failure('STATE', `The disk failed while the state file ${path} was in use.`, {
    hint: 'dmesg | tail',
    retryable: true,
  });
}

function because(failure: Failure, cause: unknown): Failure {
  const { code, message, hint, retryable } = failure;
  return new Failure(code, message, { hint: hint!, retryable, cause });
}

/** Primary result codes (sqlite.org/rescode.html) that the world can cause. */
const PRIMARY: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  18: 'SQLITE_TOOBIG',
  22: 'SQLITE_NOLFS',
  23: 'SQLITE_AUTH',
  24: 'SQLITE_FORMAT',
  26: 'SQLITE_NOTADB',
};

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // libsql reports a failed open in text only, with the primary result code at its end: 14 is SQLITE_CANTOPEN.
  const opened = /ConnectionFailed\(.*: (\d+)"\)$/s.exec(error.message);
  if (opened !== null) return opened[1] === '26' || opened[1] === '11' ? 'SQLITE_CORRUPT' : 'SQLITE_CANTOPEN';
  // libsql hands on what its own file calls say with the number of the system: "Too many open files (os error 24)".
  const system = /\(os error (\d+)\)/.exec(error.message);
  if (system !== null) {
    const found = Object.entries(constants.errno).find(([, number]) => number === Number(system[1]));
    if (found !== undefined) return found[0];
  }
  const code = (error as { code?: unknown }).code;
  // An extended result code that libsql has no name for; its low byte is the primary one.
  const extended = typeof code === 'string' ? /^UNKNOWN_SQLITE_ERROR_(\d+)$/.exec(code) : null;
  if (extended !== null) return PRIMARY[Number(extended[1]) & 0xff] ?? '';
  // The version was checked at opening, so a table or column that is not there was lost.
  if (code === 'SQLITE_ERROR' && /^no such (?:table|column)|has no column/.test(error.message)) return 'SQLITE_CORRUPT';
  return typeof code === 'string' ? code : '';
}
