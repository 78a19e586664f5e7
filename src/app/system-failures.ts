/** Every error code by which a system says that the world failed, with what it means and what to do: the one table, for all adapters. */
import { Failure, shellWord, type FailureCode } from './failure.js';
import { StoreTrouble } from '../mesh/log/store.js';
import { maskName } from '../protocol/log/secret-text.js';

/** What an error of the operating system means to people. */
export interface SystemMeaning {
  readonly code: FailureCode;
  /** What is the matter, after the name of a file or a call and a colon. */
  readonly meaning: string;
  /** What to do; `path` is one word of a shell, or `.` where the error names none. */
  readonly hint: (path: string) => string;
  readonly retryable?: boolean;
}

const look = (path: string): string => `ls -ld ${path}`;
const reach = (): string => 'aip doctor';

const MEANINGS: Readonly<Record<string, SystemMeaning>> = {
  ENOENT: { code: 'NOT_FOUND', meaning: 'no such file or folder', hint: look },
  EACCES: { code: 'UNREADABLE', meaning: 'permission denied', hint: look },
  EPERM: { code: 'UNREADABLE', meaning: 'not permitted', hint: look },
  EISDIR: { code: 'UNREADABLE', meaning: 'it is a folder', hint: look },
  ENOTDIR: { code: 'UNREADABLE', meaning: 'a part of the path is not a folder', hint: look },
  ENOTEMPTY: { code: 'EXISTS', meaning: 'the folder is not empty', hint: (path) => `ls -A ${path}` },
  EEXIST: { code: 'EXISTS', meaning: 'it exists already', hint: look },
  ELOOP: {
    code: 'UNREADABLE',
    meaning: 'its links lead in a circle, or are too many',
    hint: (path) => `readlink -f ${path}`,
  },
  EMLINK: { code: 'UNREADABLE', meaning: 'it has too many links', hint: look },
  ENAMETOOLONG: { code: 'UNREADABLE', meaning: 'the name is too long', hint: () => 'choose a shorter path' },
  EXDEV: { code: 'UNREADABLE', meaning: 'it lies on another file system', hint: (path) => `df ${path}` },
  ENOSPC: { code: 'STATE', meaning: 'the disk is full', hint: () => 'df -h; df -i', retryable: true },
  EDQUOT: { code: 'STATE', meaning: 'the quota of this user is used up', hint: () => 'quota -s', retryable: true },
  EFBIG: {
    code: 'STATE',
    meaning: 'the file would be larger than this process may write',
    hint: () => 'ulimit -f unlimited',
  },
  EROFS: {
    code: 'UNREADABLE',
    meaning: 'the file system is mounted to be read only',
    hint: (path) => `findmnt -T ${path}`,
  },
  EIO: { code: 'STATE', meaning: 'the disk failed', hint: () => 'dmesg | tail', retryable: true },
  ENXIO: { code: 'UNREADABLE', meaning: 'nothing is behind that device', hint: look },
  ENODEV: { code: 'UNREADABLE', meaning: 'there is no such device', hint: look },
  ESTALE: {
    code: 'STATE',
    meaning: 'the network file system has lost it',
    hint: () => 'mount that file system again',
    retryable: true,
  },
  EBUSY: { code: 'STATE', meaning: 'another program holds it', hint: (path) => `lsof ${path}`, retryable: true },
  ETXTBSY: { code: 'STATE', meaning: 'it is a program that runs', hint: (path) => `lsof ${path}`, retryable: true },
  EAGAIN: { code: 'STATE', meaning: 'the system has none to spare now', hint: () => 'ulimit -a', retryable: true },
  ENOLCK: {
    code: 'STATE',
    meaning: 'the file system has no locks left',
    hint: () => 'keep the state on a local disk: set AIP_HOME',
    retryable: true,
  },
  EMFILE: {
    code: 'STATE',
    meaning: 'this process may open no more files',
    hint: () => 'ulimit -n 1024',
    retryable: true,
  },
  ENFILE: {
    code: 'STATE',
    meaning: 'the system has too many files open',
    hint: () => 'sysctl fs.file-nr',
    retryable: true,
  },
  ENOMEM: { code: 'STATE', meaning: 'no memory is left', hint: () => 'free -h; ulimit -v', retryable: true },
  ENOSYS: { code: 'UNREADABLE', meaning: 'this system cannot do that', hint: look },
  ENOTSUP: { code: 'UNREADABLE', meaning: 'this file system cannot do that', hint: (path) => `df -T ${path}` },
  EOPNOTSUPP: { code: 'UNREADABLE', meaning: 'this file system cannot do that', hint: (path) => `df -T ${path}` },
  EINVAL: { code: 'UNREADABLE', meaning: 'the system does not take it', hint: look },
  EILSEQ: {
    code: 'UNREADABLE',
    meaning: 'this file system does not take such a name',
    hint: () => 'choose a name of plain letters',
  },
  EOVERFLOW: { code: 'UNREADABLE', meaning: 'it is too large', hint: look },
  E2BIG: {
    code: 'USAGE',
    meaning: 'the command line or the environment is too long',
    hint: () => 'give long values in files',
  },
  ENOEXEC: { code: 'UNREADABLE', meaning: 'it is no program of this system', hint: (path) => `file ${path}` },
  EPIPE: { code: 'UNREADABLE', meaning: 'the other end has closed', hint: () => 'run it again', retryable: true },
  ECONNREFUSED: { code: 'NETWORK', meaning: 'nothing listens there', hint: reach, retryable: true },
  ECONNRESET: { code: 'NETWORK', meaning: 'the connection broke', hint: reach, retryable: true },
  ECONNABORTED: { code: 'NETWORK', meaning: 'connection broken off', hint: reach, retryable: true },
  ETIMEDOUT: { code: 'NETWORK', meaning: 'timed out', hint: reach, retryable: true },
  ENOTFOUND: { code: 'NETWORK', meaning: 'its name is unknown', hint: reach },
  EAI_AGAIN: { code: 'NETWORK', meaning: 'the name server does not answer', hint: reach, retryable: true },
  EHOSTUNREACH: { code: 'NETWORK', meaning: 'no way to that host', hint: reach, retryable: true },
  EHOSTDOWN: { code: 'NETWORK', meaning: 'that host is down', hint: reach, retryable: true },
  ENETUNREACH: { code: 'NETWORK', meaning: 'no way to that network', hint: reach, retryable: true },
  ENETDOWN: { code: 'NETWORK', meaning: 'the network is down', hint: reach, retryable: true },
  ENOBUFS: { code: 'NETWORK', meaning: 'the system has no buffers left', hint: reach, retryable: true },
  EADDRINUSE: {
    code: 'NETWORK',
    meaning: 'the address is in use',
    hint: () => 'choose another port with --port, or see who has it: ss -ltnp',
  },
  EADDRNOTAVAIL: { code: 'NETWORK', meaning: 'this machine does not have that address', hint: () => 'ip addr' },
  EAFNOSUPPORT: { code: 'NETWORK', meaning: 'this machine has no such kind of address', hint: () => 'ip addr' },
  EPROTO: { code: 'NETWORK', meaning: 'the other end speaks another protocol', hint: reach },
};

/** What a code means; null for a code that only a fault in this program can cause. */
export function meaningOf(code: string | undefined): SystemMeaning | null {
  return code !== undefined && Object.hasOwn(MEANINGS, code) ? MEANINGS[code]! : null;
}

/**
 * What failed with a file, in words: `what` begins the sentence and names the file, `doing` says what was tried. The code of the system stands
 * behind its meaning. Where the table knows it the failure has its kind and hint; `kind` is for the rest, and where it is given for all.
 */
export function fileFailure(
  path: string,
  doing: 'read' | 'written' | 'used',
  cause: unknown,
  { what = path, kind }: { readonly what?: string; readonly kind?: FailureCode } = {},
): Failure {
  const { code } = cause as NodeJS.ErrnoException;
  const shown = maskName(path);
  const found = meaningOf(code);
  const why = found === null ? (code ?? 'unknown error') : `${found.meaning} (${code})`;
  return new Failure(
    kind ?? found?.code ?? 'UNREADABLE',
    `${what.replaceAll(path, shown)} cannot be ${doing}: ${why}.`,
    {
      hint: (found?.hint ?? look)(shellWord(shown)),
      retryable: found?.retryable === true,
      cause,
    },
  );
}

/** The code of an error of the operating system; null where it has none. */
export function systemCodeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** What fails where a copy or a new name is written, and not where it comes from. */
const NO_ROOM: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS'];

/** A system error, or the silence of a mesh's store, that no adapter translated: still the world's doing. Null for anything else. */
export function fromSystem(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof StoreTrouble) return fromStore(error);
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const at = dest !== undefined && NO_ROOM.includes(code ?? '') ? dest : path;
  const found = syscall === undefined ? null : meaningOf(code);
  if (found === null) return null;
  return new Failure(found.code, `${syscall}${at === undefined ? '' : ` ${maskName(at)}`}: ${found.meaning}`, {
    hint: found.hint(at === undefined ? '.' : shellWord(maskName(at))),
    retryable: found.retryable === true,
    cause: error,
  });
}

/** A database of the mesh that broke off while a command was at work with it. */
function fromStore({ kind, message, cause }: StoreTrouble): Failure {
  const { hint } = (cause ?? {}) as { readonly hint?: string | null };
  const doubt = kind === 'in-doubt' ? ' It may have kept what was asked.' : '';
  return new Failure('NETWORK', `The store of the mesh gives no answer: ${message.replace(/\.$/, '')}.${doubt}`, {
    hint: hint ?? 'aip help growing',
    retryable: true,
    cause,
  });
}
