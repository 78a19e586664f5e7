import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readDocument } from '../../../src/adapters/files/document.js';
import { expandPattern, isNamedPipe, placeFile, replaceFile } from '../../../src/adapters/files/plain-file.js';
import { readPrivate } from '../../../src/adapters/files/secret/private-file.js';
import { MAX_DOCUMENT_BYTES } from '../../../src/protocol/limits.js';
import { scratch } from '../../kit/scratch.js';

function pipe(): string {
  const path = join(scratch(), 'intent.json');
  execFileSync('mkfifo', [path]);
  return path;
}

function write(path: string, script: string): void {
  const child = spawn('sh', ['-c', `exec > "$1"; ${script}`, 'sh', path], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
}

describe('reading a document', () => {
  test('ends one byte past the limit, wherever the file ends', async () => {
    expect(await readDocument('/dev/zero')).toHaveLength(MAX_DOCUMENT_BYTES + 1);
    expect(await readDocument('/dev/null')).toHaveLength(0);
  });

  test('finds nothing, a folder, a loop of links', async () => {
    const at = scratch();
    symlinkSync(join(at, 'loop'), join(at, 'loop'));
    expect(await readDocument(join(at, 'none'))).toBeNull();
    await expect(readDocument(at)).rejects.toMatchObject({ code: 'UNREADABLE' });
    await expect(readDocument(join(at, 'loop'))).rejects.toMatchObject({ code: 'UNREADABLE' });
  });

  test('gives up on a pipe that nobody writes to', async () => {
    await expect(readDocument(pipe())).rejects.toMatchObject({ code: 'UNREADABLE', message: /nobody writes to/ });
  });

  test('waits for the writer of a pipe, and to its last word', async () => {
    const path = pipe();
    write(path, 'sleep 0.2; printf one; sleep 0.2; printf two');
    expect(String(Buffer.from((await readDocument(path))!))).toBe('onetwo');
  });

  test('takes no more of a pipe than of a file', async () => {
    const path = pipe();
    write(path, 'exec cat /dev/zero');
    expect(await readDocument(path)).toHaveLength(MAX_DOCUMENT_BYTES + 1);
  });

  test('tells pipes with names from those that a shell hands over', async () => {
    expect(await isNamedPipe(pipe())).toBe(true);
    expect(await isNamedPipe('/dev/stdin')).toBe(false);
    expect(await isNamedPipe(scratch())).toBe(false);
  });
});

describe('placing a file', () => {
  const throws = (): never => {
    throw new RangeError('not settled');
  };

  test('leaves nothing new where it is not settled', async () => {
    const at = scratch();
    await expect(placeFile(join(at, 'new'), 'x', 'elsewhere', throws)).rejects.toThrow('not settled');
    expect(readdirSync(at)).toEqual([]);
    writeFileSync(join(at, 'old'), 'before');
    await expect(placeFile(join(at, 'old'), 'x', null, throws)).rejects.toThrow('not settled');
    expect([readdirSync(at), readFileSync(join(at, 'old'), 'utf8')]).toEqual([['old'], 'before']);
  });

  test('settles nothing where a file or a folder is in the way', async () => {
    const at = scratch();
    writeFileSync(join(at, 'old'), 'before');
    await expect(placeFile(join(at, 'old'), 'x', 'elsewhere', throws)).rejects.toMatchObject({ code: 'EXISTS' });
    await expect(placeFile(at, 'x', null, throws)).rejects.toMatchObject({ code: 'UNREADABLE' });
    expect(readdirSync(at)).toEqual(['old']);
  });

  test.runIf(process.platform !== 'win32')('leaves who may read it as it was', async () => {
    const at = scratch();
    for (const mode of [0o600, 0o664]) {
      writeFileSync(join(at, 'old'), 'before');
      chmodSync(join(at, 'old'), mode);
      await replaceFile(join(at, 'old'), 'after');
      expect([readFileSync(join(at, 'old'), 'utf8'), statSync(join(at, 'old')).mode & 0o777]).toEqual(['after', mode]);
    }
  });

  test.runIf(process.platform !== 'win32')('gives another group no more than everybody had', async () => {
    const at = join(scratch(), 'old');
    const handle = await open(at, 'w');
    const files = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const refusing = (refuses: (uid: number) => boolean): void => {
      const { chown } = files;
      const spy = vi.spyOn(files, 'chown').mockImplementation(function (this: FileHandle, uid, gid) {
        return refuses(uid) ? Promise.reject(new Error('EPERM')) : chown.call(this, uid, gid);
      });
      onTestFinished(() => spy.mockRestore());
    };
    const replaced = async (mode: number): Promise<number> => {
      chmodSync(at, mode);
      await replaceFile(at, 'after');
      return statSync(at).mode & 0o777;
    };
    refusing((uid) => uid !== -1);
    expect(await replaced(0o660)).toBe(0o660);
    refusing(() => true);
    expect([await replaced(0o660), await replaced(0o664)]).toEqual([0o600, 0o644]);
  });
});

test.runIf(process.platform === 'linux')(
  'a secret is bounded by what is read, not by the size that its file tells',
  () => {
    expect(() => readPrivate('/proc/self/maps', 16)).toThrow(/larger than 16 bytes/);
  },
);

describe('a pattern', () => {
  test('finds files and no folders, at any depth, in order', async () => {
    const at = scratch();
    for (const name of ['b/x', 'a/y', '.hidden']) mkdirSync(join(at, name), { recursive: true });
    for (const name of ['b/x/1.json', 'a/y/2.json', 'a/3.json', '.hidden/4.json', 'a/.5.json']) {
      writeFileSync(join(at, name), '');
    }
    const found = async (pattern: string) =>
      (await expandPattern(join(at, pattern))).map((path) => path.slice(at.length + 1));
    expect(await found('**/*.json')).toEqual(['a/3.json', 'a/y/2.json', 'b/x/1.json']);
    expect(await found('?/*')).toEqual(['a/3.json']);
    expect(await found('c/*.json')).toEqual([]);
    expect(await found('a/3.json/*')).toEqual([]);
  });

  test('finds names with any character, and every file under a last **', async () => {
    const at = scratch();
    mkdirSync(join(at, 'b', 'c'), { recursive: true });
    const names = ['a\nb.json', 'a\u2028b.json', 'b/c/1.json', 'b/2.json', '\u{1f600}.json'];
    for (const name of names) writeFileSync(join(at, name), '');
    const found = async (pattern: string) =>
      (await expandPattern(join(at, pattern))).map((path) => path.slice(at.length + 1));
    expect(await found('a*.json')).toEqual(['a\nb.json', 'a\u2028b.json']);
    expect(await found('?.json')).toEqual(['\u{1f600}.json']);
    expect(await found('**')).toEqual([...names].sort());
    expect(await found('b/**')).toEqual(['b/2.json', 'b/c/1.json']);
  });

  test('fails on a folder that cannot be looked into, which could hold what is to be refused', async () => {
    const at = scratch();
    writeFileSync(join(at, '1.json'), '');
    symlinkSync(join(at, 'loop'), join(at, 'loop'));
    await expect(expandPattern(join(at, 'loop', '*.json'))).rejects.toMatchObject({ code: 'UNREADABLE' });
  });
});
