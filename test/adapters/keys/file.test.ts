import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
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
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { keyFileName, keyFiles, type KeyFilesOptions } from '../../../src/adapters/keys/file/store.js';
import { expectFailure, KEY_ID, keyStoreContract, seedOf, wordsOf } from '../../contract/key-store.js';

const PASSPHRASE = 'correct horse battery staple';
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aip-keys-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function open(options: Partial<KeyFilesOptions> = {}): ReturnType<typeof keyFiles> {
  const passphrase = () => Promise.resolve(PASSPHRASE);
  return keyFiles({
    folder: join(home, 'keys'),
    random: randomBytes,
    passphrase,
    newPassphrase: passphrase,
    ...options,
  });
}

/** Fails when the passphrase is asked for. */
function mustNotAsk(): Promise<string> {
  throw new Error('asked for a passphrase');
}

keyStoreContract(() => ({
  store: open(),
  reopened: open(),
  strayRef: join(home, 'keys', 'nothing.pem'),
  holdsMany: true,
}));

describe('a key file', () => {
  test('is private, in a private folder, and alone in it', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    expect(statSync(ref).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'keys')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(home, 'keys'))).toEqual(['did_web_acme.com_agents_support-agent-v1_key-1.pem']);
  });

  test('is private under a careless umask, and takes an open folder from the others', async () => {
    const old = process.umask(0);
    try {
      mkdirSync(join(home, 'keys'));
      const ref = await open().create(KEY_ID, seedOf(7));
      expect([statSync(ref).mode & 0o777, statSync(join(home, 'keys')).mode & 0o777]).toEqual([0o600, 0o700]);
    } finally {
      process.umask(old);
    }
  });

  test('holds the key only encrypted', async () => {
    const text = readFileSync(await open().create(KEY_ID, seedOf(7)), 'latin1');
    expect(text).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const der = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
    expect(der.includes(Buffer.from(seedOf(7)))).toBe(false);
  });

  test('has a salt and an IV of its own', async () => {
    const store = open();
    const first = readFileSync(await store.create(KEY_ID, seedOf(7)), 'utf8');
    const second = readFileSync(await store.create('did:web:acme.com#key-1', seedOf(7)), 'utf8');
    expect(first.split('\n')[2]).not.toBe(second.split('\n')[2]);
  });

  test("that is gone is not said to be an agent's: a rotation makes no other one of a principal's", async () => {
    const failure = await expectFailure(open().read(join(home, 'keys', 'gone.pem')), 'KEY_NOT_FOUND');
    expect(failure.hint).toBe('restore it from a backup; an agent can get a new one: aip passport rotate <agent>');
  });

  test('does not open with another passphrase', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    const failure = await expectFailure(
      open({ passphrase: () => Promise.resolve('incorrect horse') }).read(ref),
      'WRONG_PASSPHRASE',
    );
    expect(wordsOf(failure)).not.toContain('incorrect horse');
    expect(failure.message).toContain(ref);
    expect(failure.hint).toContain('--passphrase-file');
  });

  test.each([
    ['empty', '', 'it is empty'],
    ['cut', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n', 'its block has no end'],
  ])('that is %s is to be restored, and no passphrase is typed for it', async (_, text, says) => {
    const ref = await open().create(KEY_ID, seedOf(7));
    writeFileSync(ref, text);
    const failure = await expectFailure(open({ passphrase: mustNotAsk }).read(ref), 'UNREADABLE');
    expect(failure.message).toMatch(new RegExp(`^Key file ${ref}: .*${says}`));
    expect(failure.hint).toContain('restore it from a backup');
  });

  test('is not blamed for a passphrase that cannot be read', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    const passphrase = () => Promise.reject(new Failure('UNREADABLE', 'The passphrase file p is not UTF-8 text.'));
    const failure = await expectFailure(open({ passphrase }).read(ref), 'UNREADABLE');
    expect(failure.message).toBe('The passphrase file p is not UTF-8 text.');
  });

  test('says which key it needs the passphrase of', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    const asked: (string | undefined)[] = [];
    const passphrase = (file?: string) => (asked.push(file), Promise.resolve(PASSPHRASE));
    await open({ passphrase }).read(ref);
    expect(asked).toEqual([ref]);
  });

  test.each([0o640, 0o604, 0o620, 0o666])('that others may use (mode %o) is refused with the remedy', async (mode) => {
    const ref = await open().create(KEY_ID, seedOf(7));
    chmodSync(ref, mode);
    const failure = await expectFailure(open({ passphrase: mustNotAsk }).read(ref), 'KEYSTORE_DENIED');
    expect(failure.hint).toBe(`chmod 600 ${ref}`);
  });

  test('behind a symlink is not read', async () => {
    const ref = await open().create(KEY_ID, seedOf(7));
    const link = join(home, 'keys', 'link.pem');
    symlinkSync(ref, link);
    await expectFailure(open({ passphrase: mustNotAsk }).read(link), 'KEYSTORE_DENIED');
  });

  test.each(['file', 'nowhere'])('is not written through a symlink that waits at its name (to %s)', async (kind) => {
    const target = join(home, 'target');
    if (kind === 'file') writeFileSync(target, 'precious');
    mkdirSync(join(home, 'keys'), { mode: 0o700 });
    symlinkSync(target, join(home, 'keys', keyFileName(KEY_ID)));
    const outcome = await open()
      .create(KEY_ID, seedOf(7))
      .catch((cause: unknown) => cause);
    expect(['EXISTS', 'KEYSTORE_DENIED']).toContain((outcome as { code: string }).code);
    expect(existsSync(target) ? readFileSync(target, 'utf8') : 'nothing').toBe(
      kind === 'file' ? 'precious' : 'nothing',
    );
    expect(readdirSync(join(home, 'keys'))).toHaveLength(1);
  });

  test('is not put into a folder that is a symlink', async () => {
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync(join(home, 'elsewhere'), join(home, 'keys'));
    await expectFailure(open({ newPassphrase: mustNotAsk }).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(readdirSync(join(home, 'elsewhere'))).toEqual([]);
  });

  test.each([
    ['an empty file', ''],
    ['half a file', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj'],
    ['binary rubbish', '\0\x01\x02\xff'.repeat(100)],
    ['an empty block', '-----BEGIN ENCRYPTED PRIVATE KEY-----\n\n-----END ENCRYPTED PRIVATE KEY-----\n'],
    ['a plain key', execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519'], { encoding: 'utf8' })],
    ['more than 8 KiB', 'A'.repeat(8193)],
  ])('holding %s is UNREADABLE before anything is asked', async (_, content) => {
    const path = join(home, 'bad.pem');
    writeFileSync(path, content, { mode: 0o600 });
    const failure = await expectFailure(open({ passphrase: mustNotAsk }).read(path), 'UNREADABLE');
    expect(failure.message).toContain(path);
    if (content.length > 50) expect(wordsOf(failure)).not.toContain(content.slice(28, 50));
  });

  test('that is a folder, or a pipe nobody writes into, ends at once', async () => {
    await expectFailure(open({ passphrase: mustNotAsk }).read(home), 'UNREADABLE');
    const pipe = join(home, 'pipe.pem');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    await expectFailure(open({ passphrase: mustNotAsk }).read(pipe), 'UNREADABLE');
  });

  test('exists before the passphrase is asked for, where it exists', async () => {
    await open().create(KEY_ID, seedOf(7));
    await expectFailure(open({ newPassphrase: mustNotAsk }).create(KEY_ID, seedOf(8)), 'EXISTS');
  });

  test('leaves nothing behind when the passphrase is not given', async () => {
    const refused = open({ newPassphrase: () => Promise.reject(new Error('interrupted')) });
    await expect(refused.create(KEY_ID, seedOf(7))).rejects.toThrow('interrupted');
    expect(readdirSync(join(home, 'keys'))).toEqual([]);
  });

  const root = process.getuid?.() === 0;
  if (root) console.log('skipped: a folder without write permission, which does not stop root');
  test.skipIf(root)('cannot be made in a folder of others', async () => {
    mkdirSync(join(home, 'keys'), { mode: 0o500 });
    await expectFailure(open().create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
  });

  test('is whole or absent when the process is killed at any moment', async () => {
    // The child makes files until it is killed; each name that exists afterwards must have the whole content.
    const program = `
      import { createPrivate } from ${JSON.stringify(join(process.cwd(), 'src/adapters/files/secret/private-file.ts'))};
      const content = 'x'.repeat(4096) + 'end';
      for (let i = 0; i < 10_000; i++) createPrivate(process.argv[2] + '/key-' + i, content, String(i));`;
    const bundle = join(home, 'maker.mjs');
    await build({
      stdin: { contents: program, resolveDir: process.cwd() },
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile: bundle,
    });
    for (let round = 0; round < 10; round++) {
      const folder = join(home, `crash-${round}`);
      mkdirSync(folder);
      const child = spawn(process.execPath, [bundle, folder], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      while (!existsSync(join(folder, `key-${round * 3}`)) && child.exitCode === null) await sleep(1);
      child.kill('SIGKILL');
      await ended;
      const made = readdirSync(folder).filter((name) => name.startsWith('key-'));
      expect(made.length).toBeGreaterThan(round * 3);
      for (const name of made) expect(readFileSync(join(folder, name), 'utf8').slice(-3)).toBe('end');
    }
  }, 60_000);
});

describe('the name of a key file', () => {
  test.each([
    ['did:web:acme.com:agents:bot#key-1', 'did_web_acme.com_agents_bot_key-1.pem'],
    ['did:web:acme.com%3A8443#key-12', 'did_web_acme.com_3A8443_key-12.pem'],
    ['../../etc/passwd', '_.._etc_passwd.pem'],
    ['/etc/passwd', '_etc_passwd.pem'],
    ['a\0b\n', 'a_b_.pem'],
  ])('%j is %s', (keyId, name) => expect(keyFileName(keyId)).toBe(name));

  test('stays within what file systems take, and keeps long ids apart', () => {
    const [one, two] = ['a', 'b'].map((end) => keyFileName(`did:web:${'x'.repeat(250)}${end}`));
    expect(one).not.toBe(two);
    expect(Math.max(one!.length, two!.length)).toBeLessThanOrEqual(200);
  });

  test('is never empty or hidden', () => {
    expect(keyFileName('...')).toMatch(/^[^.]/);
    expect(keyFileName('')).toMatch(/^[^.]/);
  });
});
