import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readHmacKey } from '../../../src/adapters/keys/hmac-key.js';
import { passphrases, type PassphraseOptions } from '../../../src/adapters/keys/passphrase.js';
import { expectFailure, wordsOf } from '../../contract/key-store.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aip-pass-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function sources(options: Partial<PassphraseOptions> = {}): ReturnType<typeof passphrases> {
  return passphrases({ env: {}, file: null, prompt: null, ...options });
}

function file(content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, 'pass');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A terminal where somebody types these answers, one after the other. */
function typing(...answers: string[]): { prompt: (question: string) => Promise<string>; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    prompt: async (question) => answers[asked.push(question) - 1] ?? Promise.reject(new Error('asked again')),
  };
}

test('a question for the passphrase of a key names the file', async () => {
  const { prompt, asked } = typing('p');
  expect(await sources({ prompt }).existing('/home/me/keys/did_web_acme.com_key-1.pem')).toBe('p');
  expect(asked).toEqual(['Passphrase of did_web_acme.com_key-1.pem']);
});

describe.each(['existing', 'fresh'] as const)('the passphrase for %s keys', (kind) => {
  test('comes from AIP_KEY_PASSPHRASE, to the letter', async () => {
    expect(await sources({ env: { AIP_KEY_PASSPHRASE: ' a b\n' } })[kind]()).toBe(' a b');
  });

  test('comes from the file before the variable, and from either before the terminal', async () => {
    const prompt = (): Promise<string> => Promise.reject(new Error('asked'));
    expect(await sources({ file: file('from file'), env: { AIP_KEY_PASSPHRASE: 'from env' }, prompt })[kind]()).toBe(
      'from file',
    );
    expect(await sources({ env: { AIP_KEY_PASSPHRASE: 'from env' }, prompt })[kind]()).toBe('from env');
  });

  test.each([
    ['p\n', 'p'],
    ['p\r\n', 'p'],
    ['p\n\n', 'p\n'],
    [' p ', ' p '],
    ['p', 'p'],
    ['\uFEFFp', 'p'],
  ])('a file of %j means %j', async (content, passphrase) => {
    expect(await sources({ file: file(content) })[kind]()).toBe(passphrase);
  });

  test.each([
    ['an empty file', '', 'USAGE'],
    ['a file of one newline', '\n', 'USAGE'],
    ['a file of 1025 bytes', 'x'.repeat(1025), 'USAGE'],
    ['a huge file', 'x'.repeat(1 << 20), 'USAGE'],
    ['a file that is not text', new Uint8Array([0xff, 0xfe, 0x41]), 'UNREADABLE'],
  ] as const)('%s is refused', async (_, content, code) => {
    await expectFailure(sources({ file: file(content) })[kind](), code);
  });

  test('a file that is missing or a folder is refused, also when the variable is set', async () => {
    const env = { AIP_KEY_PASSPHRASE: 'p' };
    await expectFailure(sources({ file: join(folder, 'nothing'), env })[kind](), 'NOT_FOUND');
    await expectFailure(sources({ file: folder, env })[kind](), 'UNREADABLE');
  });

  test('an empty variable is refused, not taken for an absent one', async () => {
    const { prompt } = typing('typed', 'typed');
    await expectFailure(sources({ env: { AIP_KEY_PASSPHRASE: '' }, prompt })[kind](), 'USAGE');
  });

  test('without any source names both of them', async () => {
    const failure = await expectFailure(sources()[kind](), 'ANSWER_NEEDED');
    expect(failure.exitCode).toBe(2);
    expect(failure.hint).toContain('AIP_KEY_PASSPHRASE');
    expect(failure.hint).toContain('--passphrase-file');
  });

  test('a refused passphrase is not quoted', async () => {
    const failure = await expectFailure(
      sources({ env: { AIP_KEY_PASSPHRASE: 'secret'.repeat(200) } })[kind](),
      'USAGE',
    );
    expect(wordsOf(failure)).not.toContain('secretsecret');
  });

  test('an empty answer at the terminal is refused', async () => {
    await expectFailure(sources({ prompt: typing('', '').prompt })[kind](), 'USAGE');
  });
});

describe('a passphrase file', () => {
  test('that others can read is refused, with the command that mends it', async () => {
    const path = file('p', 0o644);
    expect((await expectFailure(sources({ file: path }).existing(), 'KEYSTORE_DENIED')).hint).toBe(`chmod 600 ${path}`);
    expect(await sources({ file: path, env: { AIP_SECRETS_DIR: folder } }).existing()).toBe('p');
  });

  test('may be behind a symlink, as mounted secrets are, or a pipe', async () => {
    const link = join(folder, 'link');
    symlinkSync(file('p\n'), link);
    expect(await sources({ file: link }).existing()).toBe('p');
    const pipe = join(folder, 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0" && (printf "through a pipe\\n" > "$0" &)', pipe], { stdio: 'ignore' });
    expect(await sources({ file: pipe }).existing()).toBe('through a pipe');
  });

  test('that is a pipe is read once, for every key of a command', async () => {
    const pipe = join(folder, 'once');
    execFileSync('sh', ['-c', 'mkfifo "$0" && (printf "through a pipe\\n" > "$0" &)', pipe], { stdio: 'ignore' });
    const { existing, fresh } = sources({ file: pipe });
    expect(await Promise.all([existing(), fresh()])).toEqual(['through a pipe', 'through a pipe']);
    expect(await existing()).toBe('through a pipe');
  });

  test('may be a pipe that nobody writes to, and is not waited for without end', async () => {
    const pipe = join(folder, 'idle');
    execFileSync('mkfifo', [pipe]);
    const failure = await expectFailure(sources({ file: pipe }).existing(), 'UNREADABLE');
    expect(failure.message).toContain('nobody writes to');
    await expect(readHmacKey(pipe, {})).rejects.toMatchObject({ code: 'UNREADABLE' });
  });
});

describe('at the terminal', () => {
  test('an existing key asks once, each time', async () => {
    const { prompt, asked } = typing('one', 'two');
    const { existing } = sources({ prompt });
    expect([await existing(), await existing()]).toEqual(['one', 'two']);
    expect(asked).toHaveLength(2);
  });

  test('a new key asks twice, and one command asks for all its new keys together', async () => {
    const { prompt, asked } = typing('p', 'p');
    const { fresh } = sources({ prompt });
    expect([await fresh(), await fresh()]).toEqual(['p', 'p']);
    expect(asked).toHaveLength(2);
    expect(asked[0]).not.toBe(asked[1]);
  });

  test('two different answers are asked for again, three times at most', async () => {
    const notices: string[] = [];
    const onNotice = (notice: string): unknown => notices.push(notice);
    expect(await sources({ prompt: typing('p', 'q', 'r', 'r').prompt, onNotice }).fresh()).toBe('r');
    expect(notices).toEqual([expect.stringContaining('differ'), expect.stringContaining('weak')]);
    const { prompt, asked } = typing('a', 'b', 'a', 'b', 'a', 'b');
    await expectFailure(sources({ prompt }).fresh(), 'USAGE');
    expect(asked).toHaveLength(6);
  });

  test('an interrupted question is not remembered as an answer', async () => {
    let calls = 0;
    const prompt = async (): Promise<string> => (++calls === 1 ? Promise.reject(new Error('interrupted')) : 'p');
    const { fresh } = sources({ prompt });
    await expect(fresh()).rejects.toThrow('interrupted');
    expect(await fresh()).toBe('p');
  });
});
