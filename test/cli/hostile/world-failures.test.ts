/**
 * What the world can do to the state: another's file, a folder that may only be read, a path too long, no file left to open. None of it is a
 * fault of the program, and those who may only read get their answer.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fromSystem, meaningOf } from '../../../src/app/system-failures.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { stateFailure } from '../../../src/adapters/sqlite/engine/failures.js';
import { Failure } from '../../../src/app/failure.js';
import { BINARY } from '../../kit/built/program.js';
import { aip, place, type Place } from '../../kit/built/binary.js';
import type { Answer } from '../../kit/native/household.js';
import { publicKeyText } from '../../kit/native/parts.js';

/** Root may write everything, so it is run without that right where this runs as root. */
const DROP = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
const isRoot = process.getuid?.() === 0;
const missing =
  process.platform === 'win32'
    ? 'Windows has no such modes'
    : isRoot && spawnSync(DROP[0]!, [...DROP.slice(1), 'true']).status !== 0
      ? 'setpriv (util-linux) cannot drop the rights of root here'
      : null;
if (missing !== null) {
  if (process.env['AIP_TEST_OTHER_USER'] === '1') throw new Error(missing);
  console.warn(`skipped: ${missing}`);
}

/** The program as a user who may not write what this one made. */
function asReader({ folder, env }: Place, argv: readonly string[], shell = ''): Answer {
  const words = [...(isRoot ? DROP : []), process.execPath, BINARY, ...argv];
  const command = shell === '' ? words : ['sh', '-c', `${shell}; exec "$@"`, 'sh', ...words];
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { cwd: folder, env, encoding: 'utf8' });
  expect(status, stderr).not.toBe(1);
  return { code: status!, out: stdout, err: stderr };
}

function used(): Place {
  const where = place();
  const pinned = aip(where, [
    'principal',
    'add',
    'did:web:acme.com',
    '--public-key',
    publicKeyText('principal'),
    '--yes',
  ]);
  expect(pinned.code).toBe(0);
  return where;
}

function protect(folder: string): void {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
  chmodSync(folder, 0o555);
  onTestFinished(() => chmodSync(folder, 0o755));
}

const AGENT = 'did:web:acme.com:agents:support-agent-v1';
const READING = [
  ['passport', 'list'],
  ['principal', 'list'],
  ['status', AGENT],
  ['trust', AGENT],
  ['health'],
  ['logs', 'tail'],
  ['logs', 'verify'],
  ['logs', 'export'],
  ['config', 'list'],
];
const WRITING = [
  ['principal', 'remove', 'did:web:acme.com', '--yes'],
  ['revoke', AGENT, '--reason', 'x', '--yes'],
  ['logs', 'prune', '--older-than', '1d', '--yes'],
];

describe.runIf(missing === null)('a state that may only be read', () => {
  const states: Record<string, (home: string) => void> = {
    'that is closed': (home) => {
      const database = new Database(join(home, 'state.db'), 0);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
      for (const end of ['-wal', '-shm']) rmSync(join(home, `state.db${end}`), { force: true });
    },
    'with its write-ahead log': () => undefined,
    'that is not there': (home) => {
      for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true });
    },
  };
  test.each(Object.keys(states))(
    '%s answers reading commands, and refuses the others before they do anything',
    (name) => {
      const where = used();
      const home = where.env['AIP_HOME']!;
      states[name]!(home);
      protect(home);
      const before = readdirSync(home);
      for (const argv of READING) {
        const { code, err } = asReader(where, argv);
        expect([argv.join(' '), code, err.includes('error:')]).toEqual([argv.join(' '), 0, false]);
      }
      if (name !== 'that is not there')
        expect(asReader(where, ['principal', 'list']).out).toContain('did:web:acme.com');
      for (const argv of WRITING) {
        const { code, err } = asReader(where, argv);
        expect([code, err]).toEqual([3, expect.stringMatching(/cannot be written|cannot be made/)]);
        expect(err).toMatch(/^hint: /m);
      }
      expect(readdirSync(home)).toEqual(before);
    },
  );

  test('is not read where its newest entries cannot be, and says what to do', () => {
    const where = used();
    const home = where.env['AIP_HOME']!;
    const copy = join(where.folder, 'copy');
    mkdirSync(copy);
    copyFileSync(join(home, 'state.db'), join(copy, 'state.db'));
    copyFileSync(join(home, 'state.db-wal'), join(copy, 'state.db-wal'));
    protect(copy);
    const { code, err } = asReader({ ...where, env: { ...where.env, AIP_HOME: copy } }, ['logs', 'verify']);
    expect([code, err]).toEqual([3, expect.stringContaining('write-ahead log')]);
    expect(err).toMatch(/^hint: .*cp /m);
  });

  test('a file of secrets, a folder of another: an answer, not a fault', () => {
    const where = used();
    chmodSync(where.env['AIP_HOME']!, 0o000);
    onTestFinished(() => chmodSync(where.env['AIP_HOME']!, 0o755));
    for (const argv of [...READING, ...WRITING]) expect(asReader(where, argv).err).not.toContain('a bug');
  });
});

test('what only reads does not say that nothing was changed; what would have changed something does', () => {
  const where = place();
  mkdirSync(where.env['AIP_HOME']!, { mode: 0o700 });
  writeFileSync(join(where.env['AIP_HOME']!, 'state.db'), Buffer.alloc(8192, 'x'), { mode: 0o600 });
  for (const argv of [...READING.filter(([noun]) => noun !== 'config'), ...WRITING]) {
    const { code, err } = aip(where, argv);
    expect([argv.join(' '), code, /damaged|another program/.test(err)]).toEqual([argv.join(' '), 3, true]);
    expect([argv.join(' '), /Nothing was/.test(err)]).toEqual([argv.join(' '), WRITING.includes(argv)]);
    expect(err).toMatch(/^hint: /m);
  }
});

describe.runIf(process.platform !== 'win32')('too few files', () => {
  test.each([19, 20, 21, 22, 23, 24, 25, 26, 28])('ulimit -n %i is said', (n) => {
    const where = used();
    for (const argv of [['passport', 'list'], ['health'], ['logs', 'tail']]) {
      const { status, stderr } = spawnSync(
        'sh',
        ['-c', `ulimit -n ${n}; exec "$@"`, 'sh', process.execPath, BINARY, ...argv],
        {
          cwd: where.folder,
          env: where.env,
          encoding: 'utf8',
        },
      );
      expect(stderr).not.toContain('a bug');
      if (status !== 0) expect([status, stderr]).toEqual([3, expect.stringContaining('ulimit -n')]);
    }
  });
});

test('a path that SQLite does not take is named with its length', () => {
  const where = place();
  const AIP_HOME = join(where.folder, ...Array<string>(3).fill('a'.repeat(200)));
  for (const argv of [
    ['passport', 'list'],
    ['revoke', AGENT, '--reason', 'x', '--yes'],
  ]) {
    const { code, err } = aip({ ...where, env: { ...where.env, AIP_HOME } }, argv);
    expect([code, err]).toEqual([3, expect.stringMatching(/has \d{3} bytes, and SQLite takes at most/)]);
    expect(err).toContain('hint: set AIP_HOME');
  }
});

test('where a home cannot be made, the words say why, and the hint shows what is there', () => {
  const where = place();
  const file = join(where.folder, 'file');
  writeFileSync(file, '');
  for (const AIP_HOME of [file, join(file, 'home')]) {
    const { code, err } = aip({ ...where, env: { ...where.env, AIP_HOME } }, ['passport', 'list']);
    expect([code, err]).toEqual([3, expect.stringContaining('cannot be opened: a part of the path is not a folder.')]);
    expect(err).toContain(`hint: ls -ld ${file}\n`);
  }
});

describe('every code that the world can cause', () => {
  const system =
    'ENOENT EACCES EPERM EISDIR ENOTDIR ENOTEMPTY EEXIST ELOOP EMLINK ENAMETOOLONG EXDEV ENOSPC EDQUOT EFBIG EROFS EIO ENXIO ENODEV ESTALE EBUSY ETXTBSY EAGAIN ENOLCK EMFILE ENFILE ENOMEM ENOTSUP EINVAL ECONNREFUSED ECONNRESET ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EADDRINUSE EADDRNOTAVAIL';
  test.each(system.split(' '))('%s has its own words and a hint', (code) => {
    const error = Object.assign(new Error(code), { code, syscall: 'open', path: '/a b' });
    const failure = fromSystem(error)!;
    expect(failure.message).toBe(`open /a b: ${meaningOf(code)!.meaning}`);
    expect(failure.hint).toMatch(/\S/);
    expect(failure.exitCode).toBeGreaterThan(1);
  });

  test('no two have the same words', () => {
    const words = system.split(' ').map((code) => meaningOf(code)!.meaning);
    expect(new Set(words).size).toBe(words.length);
  });

  test.each([
    ...[1544, 264, 776, 1032, 1288].map((n) => [`UNKNOWN_SQLITE_ERROR_${n}`, '', 'cannot be written']),
    ['UNKNOWN_SQLITE_ERROR_7', '', 'No memory'],
    ['UNKNOWN_SQLITE_ERROR_267', '', 'damaged'],
    ['UNKNOWN_SQLITE_ERROR_6410', '', 'disk failed'],
    ['UNKNOWN_SQLITE_ERROR_526', '', 'cannot be opened'],
    ['SQLITE_NOMEM', '', 'No memory'],
    ['', 'Too many open files (os error 24)', 'may open no more files'],
    ['', 'No space left on device (os error 28)', 'No space'],
    ['', 'Permission denied (os error 13)', 'cannot be written'],
    ['ENOLCK', '', 'no locks left'],
    ['ESTALE', '', 'has lost it'],
  ])('%s %s of the state', (code, message, said) => {
    const failure = stateFailure(Object.assign(new Error(message), { code }), '/state.db') as Failure;
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.message).toContain(said);
    expect(failure.hint).toMatch(/\S/);
  });

  test.each(['ERR_INVALID_ARG_TYPE', 'SQLITE_MISUSE', '', 'toString'])('%j is a fault of this program', (code) => {
    const error = Object.assign(new Error('x'), { code, syscall: 'open' });
    expect([fromSystem(error), stateFailure(error, '/s')]).toEqual([null, error]);
  });
});
