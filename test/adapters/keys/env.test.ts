import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { envKey, KEY_VARIABLE } from '../../../src/adapters/keys/env/store.js';
import { formatSeed } from '../../../src/protocol/identity/keys.js';
import { expectFailure, failureOf, KEY_ID, keyStoreContract, seedOf, wordsOf } from '../../contract/key-store.js';

const KEY = formatSeed(seedOf(7));
const PATH = process.env['PATH'];
let folder: string;
let notices: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aip-env-'));
  notices = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(
  envFile: string | null = join(folder, '.env'),
  env: Record<string, string> = {},
): ReturnType<typeof envKey> {
  const onNotice = (notice: string): unknown => notices.push(notice);
  return envKey({ env: { PATH, HOME: folder, ...env }, envFile, random: randomBytes, onNotice });
}

function write(content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, '.env');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

keyStoreContract(() => ({
  store: open(),
  reopened: open(),
  strayRef: join(folder, 'nothing.env'),
  holdsMany: false,
}));

describe('the environment', () => {
  test('gives the key in AGENT_PRIVATE_KEY', async () => {
    expect(await open(null, { AGENT_PRIVATE_KEY: KEY }).read(KEY_VARIABLE)).toEqual(seedOf(7));
  });

  test.each([undefined, ''])('that holds %j is KEY_NOT_FOUND', async (value) => {
    const failure = await expectFailure(
      open(null, value === undefined ? {} : { AGENT_PRIVATE_KEY: value }).read(KEY_VARIABLE),
      'KEY_NOT_FOUND',
    );
    expect(failure.hint).toContain('--env-file');
  });

  test('does not take the place of the file that a key was in, and the hint says what does', async () => {
    const gone = open(null, { AGENT_PRIVATE_KEY: KEY }).read(join(folder, 'gone.env'));
    expect((await expectFailure(gone, 'KEY_NOT_FOUND')).hint).toContain('<64 hex digits> and give --key-store env, or');
  });

  test.each([KEY.slice(0, -1), `${KEY}0`, KEY.slice(8), `ed448:${KEY.slice(8)}`, ` ${KEY}`, `${KEY}\n\n`, 'ed25519:'])(
    'that holds something like a key (%#) is UNREADABLE, and not quoted',
    async (value) => {
      const failure = await expectFailure(open(null, { AGENT_PRIVATE_KEY: value }).read(KEY_VARIABLE), 'UNREADABLE');
      expect(wordsOf(failure)).not.toContain('070707');
    },
  );

  test('takes no new key, and gives none up', async () => {
    const store = open(null, { AGENT_PRIVATE_KEY: KEY });
    expect((await expectFailure(store.create(KEY_ID, seedOf(8)), 'USAGE')).hint).toContain('--env-file');
    expect((await expectFailure(store.delete(KEY_VARIABLE), 'KEYSTORE_DENIED')).hint).toBe('unset AGENT_PRIVATE_KEY');
    expect(await open(null).delete(KEY_VARIABLE)).toBe(false);
  });

  test('gives way to --env-file, and to a ref that names a file, without falling back on each other', async () => {
    const path = write(`AGENT_PRIVATE_KEY=${formatSeed(seedOf(8))}\n`);
    const env = { AGENT_PRIVATE_KEY: KEY };
    expect(await open(path, env).read(KEY_VARIABLE)).toEqual(seedOf(8));
    expect(await open(null, env).read(path)).toEqual(seedOf(8));
    await expectFailure(open(join(folder, 'nothing'), env).read(KEY_VARIABLE), 'NOT_FOUND');
    await expectFailure(open(null, env).read(join(folder, 'nothing')), 'KEY_NOT_FOUND');
  });
});

describe('an env file', () => {
  const other = formatSeed(seedOf(8));
  test.each([
    ['plain', `A=1\nAGENT_PRIVATE_KEY=${KEY}\nB=2\n`],
    ['without a last newline', `AGENT_PRIVATE_KEY=${KEY}`],
    ['with export and spaces', `  export  AGENT_PRIVATE_KEY = ${KEY}  \n`],
    ['in double quotes', `AGENT_PRIVATE_KEY="${KEY}" # mine\n`],
    ['in single quotes', `AGENT_PRIVATE_KEY='${KEY}'\n`],
    ['with a comment after it', `AGENT_PRIVATE_KEY=${KEY} # mine\n`],
    ['with Windows line ends', `A=1\r\nAGENT_PRIVATE_KEY=${KEY}\r\nB=2\r\n`],
    ['with old Mac line ends', `A=1\rAGENT_PRIVATE_KEY=${KEY}\rB=2\r`],
    ['after a byte order mark', `\uFEFFAGENT_PRIVATE_KEY=${KEY}\n`],
    ['twice: the last counts', `AGENT_PRIVATE_KEY=${other}\nAGENT_PRIVATE_KEY=${KEY}\n`],
    ['commented out afterwards', `AGENT_PRIVATE_KEY=${KEY}\n# AGENT_PRIVATE_KEY=${other}\n`],
    [
      'beside longer and shorter names',
      `AGENT_PRIVATE_KEY=${KEY}\nAGENT_PRIVATE_KEY_2=${other}\nXAGENT_PRIVATE_KEY=${other}\n`,
    ],
    ['before a text over several lines', `AGENT_PRIVATE_KEY=${KEY}\nNOTE="x\nAGENT_PRIVATE_KEY=${other}\n"\n`],
    ['after a quote that never closes', `NOTE="x\nAGENT_PRIVATE_KEY=${KEY}\n`],
    ['after an escaped quote', `NOTE="x \\" y"\nAGENT_PRIVATE_KEY=${KEY}\n`],
    ['after unusual line separators', `NOTE=x\u2028y\nAGENT_PRIVATE_KEY=${KEY}\n`],
  ])('is read: %s', async (_, text) => {
    expect(await open().read(write(text))).toEqual(seedOf(7));
  });

  test.each([
    ['empty', ''],
    ['without the variable', 'A=1\n'],
    ['with an empty value', `AGENT_PRIVATE_KEY=\n`],
    ['with empty quotes', `AGENT_PRIVATE_KEY=""\n`],
    ['emptied by a later line', `AGENT_PRIVATE_KEY=${KEY}\nAGENT_PRIVATE_KEY=\n`],
    ['only in a comment', `#AGENT_PRIVATE_KEY=${KEY}\n`],
    ['only inside another text', `NOTE='x\nAGENT_PRIVATE_KEY=${KEY}\n'\n`],
    ['in lower case', `agent_private_key=${KEY}\n`],
  ])('that has no key (%s) is KEY_NOT_FOUND', async (_, text) => {
    await expectFailure(open().read(write(text)), 'KEY_NOT_FOUND');
  });

  test.each([
    ['larger than 1 MiB', 'A=1\n'.repeat(300_000)],
    ['binary', new Uint8Array([0x41, 0, 0x42])],
    ['not UTF-8', new Uint8Array([0x41, 0x3d, 0xff, 0xfe])],
    ['with half a key', `AGENT_PRIVATE_KEY=${KEY.slice(0, 40)}\n`],
    ['with a variable to expand', `AGENT_PRIVATE_KEY=\${OTHER}\n`],
  ])('%s is UNREADABLE, is not quoted, and is not written to', async (_, content) => {
    const path = write(content);
    const failure = await expectFailure(open().read(path), 'UNREADABLE');
    expect(wordsOf(failure)).not.toContain('070707');
    await failureOf(open().create(KEY_ID, seedOf(9)));
    expect(readFileSync(path).equals(Buffer.from(content as string))).toBe(true);
  });

  test('made to slow the reader down is read in passing', async () => {
    for (const line of ['A="\n', "A='\n", 'A=`\\`\n', ' \t', '#', 'A= #', 'export ', '\r']) {
      const path = write(line.repeat(Math.floor(1_000_000 / line.length)));
      await expectFailure(open().read(path), 'KEY_NOT_FOUND');
    }
  });

  test('that others can read is refused, with the command that mends it', async () => {
    const path = write(`AGENT_PRIVATE_KEY=${KEY}\n`, 0o644);
    expect((await expectFailure(open().read(path), 'KEYSTORE_DENIED')).hint).toBe(`chmod 600 ${path}`);
    expect(await open(path, { AIP_SECRETS_DIR: folder }).read(path)).toEqual(seedOf(7));
  });

  test.each(['read', 'create', 'delete'] as const)('that is a symlink is refused (%s)', async (op) => {
    const target = join(folder, 'target');
    writeFileSync(target, `AGENT_PRIVATE_KEY=\n`, { mode: 0o600 });
    symlinkSync(target, join(folder, '.env'));
    const store = open();
    await expectFailure(
      op === 'create' ? store.create(KEY_ID, seedOf(7)) : store[op](join(folder, '.env')),
      'KEYSTORE_DENIED',
    );
    expect(readFileSync(target, 'utf8')).toBe(`AGENT_PRIVATE_KEY=\n`);
  });

  test('is not made through a symlink to nowhere', async () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, '.env'));
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });
});

describe('making a key', () => {
  test('makes the file with mode 0600, and says that the key is in plain text', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    expect(ref).toBe(join(folder, '.env'));
    expect(readFileSync(ref, 'utf8')).toBe(`AGENT_PRIVATE_KEY=${KEY}\n`);
    expect(statSync(ref).mode & 0o777).toBe(0o600);
    expect(notices).toEqual([expect.stringContaining('plain text')]);
    expect(notices.join()).not.toContain(KEY.slice(8));
    expect(readdirSync(folder)).toEqual(['.env']);
  });

  test('keeps every other byte of a file that exists, and tightens it', async () => {
    const before = 'A=1\r\n# note\n\nB="x\ny"';
    const path = write(before, 0o664);
    await open().create(KEY_ID, seedOf(7));
    expect(readFileSync(path, 'utf8')).toBe(`${before}\nAGENT_PRIVATE_KEY=${KEY}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await open().delete(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(`${before}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each([
    `AGENT_PRIVATE_KEY=${KEY}\n`,
    `export AGENT_PRIVATE_KEY="x"\n`,
    `AGENT_PRIVATE_KEY=${KEY}\nAGENT_PRIVATE_KEY=\n`,
  ])('never replaces what is there (%#)', async (text) => {
    const path = write(text);
    await expectFailure(open().create(KEY_ID, seedOf(9)), 'EXISTS');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('fills in an empty assignment of a template', async () => {
    const path = write('AGENT_PRIVATE_KEY=\nB=1\n');
    await open().create(KEY_ID, seedOf(7));
    expect(await open().read(path)).toEqual(seedOf(7));
  });

  test('in a folder that does not exist, or on a folder, fails', async () => {
    await expectFailure(open(join(folder, 'no', '.env')).create(KEY_ID, seedOf(7)), 'NOT_FOUND');
    mkdirSync(join(folder, '.env'));
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'UNREADABLE');
  });

  test('waits for nobody: a lock of another process is said, with its name', async () => {
    writeFileSync(join(folder, '.env.lock'), '');
    const failure = await expectFailure(open().create(KEY_ID, seedOf(7)), 'EXISTS');
    expect(failure.hint).toContain('.env.lock');
    expect(existsSync(join(folder, '.env'))).toBe(false);
  });
});

const git = spawnSync('git', ['--version']).status === 0;
if (!git) console.log('skipped: the tests against git, which is not installed');

describe.skipIf(!git)('inside a git repository', () => {
  function run(...args: string[]): string {
    const env = { PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
  }

  function ignored(path: string): boolean {
    return spawnSync('git', ['check-ignore', '-q', path], { cwd: folder, env: { PATH, HOME: folder } }).status === 0;
  }

  beforeEach(() => {
    run('init', '-q');
  });

  test('git ignores the file afterwards, and that is said', async () => {
    await open().create(KEY_ID, seedOf(7));
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('/.env\n');
    expect(ignored('.env')).toBe(true);
    expect(run('status', '--porcelain')).toBe('?? .gitignore\n');
    expect(notices.some((notice) => notice.includes('.gitignore'))).toBe(true);
  });

  test('a .gitignore keeps its lines, and gets none when the file is ignored already', async () => {
    writeFileSync(join(folder, '.gitignore'), 'dist');
    await open().create(KEY_ID, seedOf(7));
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('dist\n/.env\n');
    await open(join(folder, '.env')).delete(join(folder, '.env'));
    await open().create(KEY_ID, seedOf(7));
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('dist\n/.env\n');
  });

  test.each(['a*b [c].env', '!env', '#env', ' lead trail ', 'back\\slash', 'gr\u00fc\u00df.env'])(
    'a file named %j is ignored as well, and nothing else is',
    async (name) => {
      mkdirSync(join(folder, 'sub dir'));
      await open(join(folder, 'sub dir', name)).create(KEY_ID, seedOf(7));
      expect(ignored(join('sub dir', name))).toBe(true);
      expect(ignored(join('sub dir', 'a-b c.env'))).toBe(false);
      expect(ignored(name)).toBe(false);
    },
  );

  test.each(['committed', 'staged'])('a file that git tracks (%s) gets no key', async (state) => {
    const path = write('A=1\n');
    run('add', '-f', '.env');
    if (state === 'committed') run('commit', '-qm', 'x');
    const failure = await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(failure.message).toContain('git tracks');
    expect(readFileSync(path, 'utf8')).toBe('A=1\n');
    expect(existsSync(join(folder, '.gitignore'))).toBe(false);
  });

  test('a tracked file that was deleted, or is named like a pathspec, is still tracked', async () => {
    write('A=1\n');
    writeFileSync(join(folder, ':(top)x'), 'A=1\n');
    run('add', '-f', '.env', './:(top)x');
    rmSync(join(folder, '.env'));
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    await expectFailure(open(join(folder, ':(top)x')).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
  });

  test('the surrounding GIT_DIR of a hook does not hide that', async () => {
    write('A=1\n');
    run('add', '-f', '.env');
    const elsewhere = mkdtempSync(join(tmpdir(), 'aip-other-'));
    execFileSync('git', ['init', '-q', elsewhere], { env: { PATH, HOME: folder } });
    const failure = await expectFailure(
      open(undefined, { GIT_DIR: join(elsewhere, '.git'), GIT_WORK_TREE: folder }).create(KEY_ID, seedOf(7)),
      'KEYSTORE_DENIED',
    );
    expect(failure.message).toContain('git tracks');
    rmSync(elsewhere, { recursive: true });
  });

  test.each(['with the work tree named', 'with the current folder as work tree'])(
    'a bare repository that the environment names, as of dotfiles, is asked as well (%s)',
    async (how) => {
      const bare = mkdtempSync(join(tmpdir(), 'aip-bare-'));
      const home = mkdtempSync(join(tmpdir(), 'aip-home-'));
      const named = how.includes('named');
      const tree = named ? home : process.cwd();
      const env = { PATH, HOME: folder, GIT_DIR: bare, GIT_WORK_TREE: tree };
      execFileSync('git', ['init', '-q', '--bare', bare], { env: { PATH, HOME: folder } });
      execFileSync('git', ['config', 'core.bare', 'false'], { env });
      const path = join(tree, `.env-${basename(bare)}`);
      writeFileSync(path, 'A=1\n', { mode: 0o600 });
      // The current folder lies in a repository of its own, which comes to ignore the file first.
      const ignoring = join(tree, '.gitignore');
      const ignored = existsSync(ignoring) ? readFileSync(ignoring, 'utf8') : null;
      try {
        execFileSync('git', ['add', '-f', path], { env, cwd: tree });
        const given: Record<string, string> = named ? { GIT_DIR: bare, GIT_WORK_TREE: tree } : { GIT_DIR: bare };
        const failure = await expectFailure(open(path, given).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
        expect(failure.message).toContain('git tracks');
        expect(readFileSync(path, 'utf8')).toBe('A=1\n');
      } finally {
        for (const made of [path, bare, home]) rmSync(made, { recursive: true, force: true });
        if (ignored !== null) writeFileSync(ignoring, ignored);
      }
    },
  );

  test('a path through a symlinked folder is judged where it really is', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    writeFileSync(join(folder, 'real', 'key.env'), 'A=1\n');
    run('add', '-f', 'real/key.env');
    await expectFailure(open(join(folder, 'link', 'key.env')).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
  });

  test('nothing that the repository configures is run', async () => {
    const trap = join(folder, 'trap.sh');
    writeFileSync(trap, `#!/bin/sh\ntouch '${join(folder, 'sprung')}'\n`, { mode: 0o755 });
    run('config', 'core.fsmonitor', trap);
    run('config', 'core.hooksPath', folder);
    await open().create(KEY_ID, seedOf(7));
    expect(existsSync(join(folder, 'sprung'))).toBe(false);
  });

  test('a rule that takes the file back out of .gitignore is found out', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', '.gitignore'), '!*.env\n');
    await expectFailure(open(join(folder, 'sub', 'k.env')).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(existsSync(join(folder, 'sub', 'k.env'))).toBe(false);
  });

  test('a .gitignore that is a symlink is left alone', async () => {
    symlinkSync(join(folder, 'target'), join(folder, '.gitignore'));
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });

  test('a repository that git cannot read is no permission', async () => {
    writeFileSync(join(folder, '.git', 'HEAD'), 'rubbish');
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(existsSync(join(folder, '.env'))).toBe(false);
  });

  test('the repository itself is no place for a key', async () => {
    await expectFailure(open(join(folder, '.git', 'key.env')).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
  });

  test('without the program git the key is made, and what was not checked is said', async () => {
    await open(undefined, { PATH: join(folder, 'nowhere') }).create(KEY_ID, seedOf(7));
    expect(notices[0]).toContain('git is not installed');
  });
});
