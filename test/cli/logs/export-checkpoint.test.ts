import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { writePast } from '../../kit/history.js';
import { household } from '../../kit/native/household.js';

const DAY = 86_400_000;

/** A log of nine entries, one a day, and the command that checks an export of it. */
async function logged() {
  const home = household();
  await home.agent('bot');
  const write = (n: number): void => {
    const now = home.io.now();
    writePast(
      dirname(home.state),
      Array.from({ length: n }, (_, i) => ({ at: now - (n - 1 - i) * DAY, latency_us: n })),
    );
  };
  write(9);
  const made = async (...argv: string[]): Promise<string> => {
    const { code, out, err } = await home.run('logs', ...argv);
    expect(code, err).toBe(0);
    return out;
  };
  const check = (lines: readonly string[], checkpoint: string) =>
    home.json<{ ok: boolean; first_bad_seq: number | null; reason: string | null; checkpoint: { seq: number } | null }>(
      ...['logs', 'verify', '--file', home.file('log.jsonl', lines.join('\n')), '--checkpoint', checkpoint],
    );
  return { home, write, made, check };
}

const linesOf = (text: string): string[] => text.trimEnd().split('\n');

test('a whole export is held to a checkpoint of the tree', async () => {
  const { home, write, made, check } = await logged();
  const checkpoint = home.file('checkpoint.txt', await made('checkpoint'));
  write(3);
  const lines = linesOf(await made('export'));
  expect(lines).toHaveLength(12);
  expect(await check(lines, checkpoint)).toMatchObject({ code: 0, value: { ok: true, checkpoint: { seq: 9 } } });
  const shown = await home.run('logs', 'verify', '--file', home.at('log.jsonl'), '--checkpoint', checkpoint);
  expect(shown.out).toContain('checkpoint  9  of the tree');
  expect(await check(lines.slice(0, 9), checkpoint)).toMatchObject({ code: 0 });
  expect(await check(lines.slice(0, 8), checkpoint)).toMatchObject({
    code: 15,
    value: { ok: false, first_bad_seq: 9, reason: expect.stringContaining('longer log') as string },
  });
  // Another history of the same length, whole in itself.
  const other = await logged();
  other.write(3);
  expect(await check(linesOf(await other.made('export')), checkpoint)).toMatchObject({
    code: 15,
    value: { ok: false, first_bad_seq: 9, reason: expect.stringContaining('not those of the tree') as string },
  });
  const foreign = home.file('foreign.txt', await other.made('checkpoint'));
  expect((await home.run('logs', 'verify', '--file', home.at('log.jsonl'), '--checkpoint', foreign)).code).toBe(15);
});

test('an export that begins behind a checkpoint is not held to it, and that is never a yes', async () => {
  const { home, write, made, check } = await logged();
  const tree = home.file('checkpoint.txt', await made('checkpoint'));
  const chain = home.file('chain.json', await made('checkpoint', '--principal', 'did:web:acme.com'));
  write(3);
  const lines = linesOf(await made('export'));
  const late = async (from: number, checkpoint: string): Promise<number> =>
    (
      await home.run(
        'logs',
        'verify',
        '--file',
        home.file('late.jsonl', lines.slice(from).join('\n')),
        '--checkpoint',
        checkpoint,
      )
    ).code;
  // The link before its first entry is the one that the checkpoint names.
  expect(await late(9, chain)).toBe(0);
  expect(await late(10, chain)).toBe(2);
  expect(await late(5, tree)).toBe(2);
  expect(await check(lines.slice(8), chain)).toMatchObject({ code: 0, value: { checkpoint: { seq: 9 } } });
});
