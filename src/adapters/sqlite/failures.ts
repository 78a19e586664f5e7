import { Failure, shellWord } from '../../app/failure.js';

/** What SQLite and the file system say, by the start of the code; in this order. */
const MEANINGS: readonly (readonly [RegExp, (path: string) => Failure])[] = [
  [/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/, busy],
  [/^(?:SQLITE_FULL|ENOSPC|EDQUOT)/, full],
  [/^SQLITE_(?:CORRUPT|NOTADB|FORMAT)/, damaged],
  [/^(?:SQLITE_(?:READONLY|PERM|AUTH)|EACCES|EPERM|EROFS)/, readOnly],
  [/^(?:SQLITE_CANTOPEN|ENOENT|ENOTDIR|EEXIST|EISDIR|ELOOP|ENAMETOOLONG|EMFILE|ENFILE)/, unopenable],
  [/^(?:SQLITE_IOERR|EIO)/, unreliable],
];

/** The Failure behind an error of SQLite or of the file system; anything else is returned as it is. */
export function stateFailure(error: unknown, path: string): unknown {
  const code = codeOf(error);
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code));
  return meaning === undefined ? error : because(meaning[1](path), error);
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

export function newer(path: string, found: number, known: number): Failure {
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

function readOnly(path: string): Failure {
  return new Failure('STATE', `The state file ${path} cannot be written. Nothing was decided or changed.`, {
    hint: `ls -l ${shellWord(path)}*`,
  });
}

function unopenable(path: string): Failure {
  return new Failure('STATE', `The state file ${path} cannot be opened.`, { hint: `ls -ld ${shellWord(path)}` });
}

function unreliable(path: string): Failure {
  return new Failure('STATE', `The disk failed while the state file ${path} was in use.`, {
    hint: 'dmesg | tail',
    retryable: true,
  });
}

function because(failure: Failure, cause: unknown): Failure {
  const { code, message, hint, retryable } = failure;
  return new Failure(code, message, { hint: hint!, retryable, cause });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // libsql reports a failed open in text only, with the primary result code at its end: 14 is SQLITE_CANTOPEN.
  const opened = /ConnectionFailed\(.*: (\d+)"\)$/s.exec(error.message);
  if (opened !== null) return opened[1] === '26' || opened[1] === '11' ? 'SQLITE_CORRUPT' : 'SQLITE_CANTOPEN';
  const code = (error as { code?: unknown }).code;
  // The version was checked at opening, so a table or column that is not there was lost.
  if (code === 'SQLITE_ERROR' && /^no such (?:table|column)|has no column/.test(error.message)) return 'SQLITE_CORRUPT';
  return typeof code === 'string' ? code : '';
}
