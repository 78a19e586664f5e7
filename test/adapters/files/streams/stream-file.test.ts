import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { growingFile } from '../../../../src/adapters/files/streams/growing-file.js';
import { createFile, isTaken, replaceFile } from '../../../../src/adapters/files/plain-file.js';
import { isStream } from '../../../../src/adapters/files/streams/stream-file.js';
import { scratch } from '../../../kit/scratch.js';

function pipe(): string {
  const path = join(scratch(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

const LONG = 'x'.repeat(300_000);

describe('a pipe or a device that --out names', () => {
  test.each([
    ['create', createFile],
    ['replace', replaceFile],
  ])('is written to: %s', async (_, write) => {
    const path = pipe();
    const [read] = await Promise.all([readFile(path, 'utf8'), write(path, LONG)]);
    expect(read).toBe(LONG);
    expect(statSync(path).isFIFO()).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['pipe']);
    await write('/dev/null', LONG);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('takes an export as it comes', async () => {
    const path = pipe();
    const reading = readFile(path, 'utf8');
    const file = await growingFile(path);
    await file.write('a\n');
    await file.write('b\n');
    await file.finish();
    expect(await reading).toBe('a\nb\n');
    expect(readdirSync(join(path, '..'))).toEqual(['pipe']);
  });

  test('without a reader is a failure, and not a wait without end', async () => {
    await expect(replaceFile(pipe(), 'x')).rejects.toMatchObject({ code: 'UNREADABLE' });
  }, 20_000);

  test('is no file that stands in the way', async () => {
    const there = join(scratch(), 'there');
    writeFileSync(there, 'mine');
    expect(await Promise.all([pipe(), '/dev/null', '/dev/stdout', '/proc/self/fd/1'].map(isStream))).toEqual(
      Array(4).fill(true),
    );
    expect(await Promise.all([there, join(there, '..'), `${there}-not`, '/dev/shm/none'].map(isStream))).toEqual(
      Array(4).fill(false),
    );
    expect(await Promise.all([there, '/dev/null', `${there}-not`].map(isTaken))).toEqual([true, false, false]);
    await expect(createFile(there, 'x')).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readFileSync(there, 'utf8')).toBe('mine');
  });
});
