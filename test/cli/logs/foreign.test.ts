/** Lines of other programs, as data: times, outcomes, odd bytes, numbers, encodings. Through the file, standard input, and what follows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordTime } from '../../../src/app/logs/foreign-times.js';
import { world, type World } from '../../kit/world.js';

interface Vectors {
  readonly at: string;
  readonly times: readonly { name: string; record: Record<string, unknown> }[];
  readonly untimed: readonly { name: string; record: Record<string, unknown> }[];
  readonly outcomes: readonly { record: Record<string, unknown>; status: string | null }[];
  readonly lines: readonly { name: string; hex?: string; text?: string; status: string }[];
  readonly unreadable: readonly string[];
  readonly texts: readonly { name: string; line: string; printed: string }[];
  readonly encodings: readonly { name: string; hex: string; hint: string }[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/foreign-logs.json', import.meta.url), 'utf8'),
) as Vectors;
const AT = Date.parse(VECTORS.at);

function written(at: World, bytes: Uint8Array): string {
  const path = join(at.cwd, 'log.jsonl');
  writeFileSync(path, bytes);
  return path;
}

const tail = (at: World, bytes: Uint8Array, ...flags: string[]) =>
  at.run('logs', 'tail', '--file', written(at, bytes), ...flags);

const rows = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a time', () => {
  test.each(VECTORS.times)('$name', async ({ record }) => {
    expect(Math.abs(recordTime(record)! - AT)).toBeLessThan(1000);
    const at = world();
    const line = Buffer.from(`${JSON.stringify({ ...record, success: false })}\n`);
    const inside = await tail(at, line, '--since', '2026-02-18T13:59:59Z', '--until', '2026-02-18T14:00:01Z');
    expect(rows(inside.out)).toHaveLength(1);
    const before = await tail(at, line, '--until', '2026-02-18T13:59:59Z');
    expect([before.code, before.out, before.err]).toEqual([0, '', '']);
  });

  test.each(VECTORS.untimed)('none: $name', async ({ record }) => {
    expect(recordTime(record)).toBeNull();
    const at = world();
    const line = Buffer.from(`${JSON.stringify({ ...record, success: true })}\n`);
    const told = await tail(at, line, '--since', '1h');
    expect([told.code, told.out]).toEqual([0, '']);
    expect(told.err).toContain('1 record has no time that can be read');
    expect((await tail(at, line, '--since', '1h', '--exit-on', 'failed')).code).toBe(15);
    expect((await tail(at, line)).err).toBe('');
  });

  test('without a zone does not depend on where this runs', async () => {
    const before = process.env['TZ'];
    try {
      for (const zone of ['America/New_York', 'Asia/Kolkata']) {
        process.env['TZ'] = zone;
        for (const { record } of VECTORS.times) expect(Math.abs(recordTime(record)! - AT)).toBeLessThan(1000);
      }
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  });
});

describe('an outcome', () => {
  test.each(VECTORS.outcomes)('$record is $status', async ({ record, status }) => {
    const at = world();
    const line = Buffer.from(JSON.stringify(record));
    const { out } = await tail(at, line);
    expect(rows(out)).toEqual([{ ...record, ...(status === null ? {} : { status }) }]);
    for (const wanted of ['failed', 'success']) {
      const shown = rows((await tail(at, line, '--status', wanted)).out);
      expect(shown).toHaveLength(status === wanted ? 1 : 0);
    }
    const waited = await tail(at, line, '--exit-on', 'failed');
    expect(waited.code).toBe(status === 'success' ? 0 : 15);
    expect(waited.err.includes('Not one record says')).toBe(status === null);
  });

  test('that some records tell is enough: the others are lines about something else', async () => {
    const at = world();
    const file = Buffer.from('{"msg":"started"}\n{"success":true}\n{"status":200}\n');
    expect(await tail(at, file, '--exit-on', 'failed', '-q')).toMatchObject({ code: 0, err: '' });
    const none = Buffer.from('{"msg":"started"}\n');
    const told = await tail(at, none, '--status', 'failed');
    expect([told.code, told.err]).toEqual([0, expect.stringContaining('Not one record says')]);
    expect((await tail(at, none)).err).toBe('');
    expect((await tail(at, none, '--exit-on', 'E202')).code).toBe(0);
  });
});

describe('a line with', () => {
  test.each(VECTORS.lines)('$name is read', async ({ hex, text, status }) => {
    const bytes = hex === undefined ? Buffer.from(text!) : Buffer.from(hex, 'hex');
    const file = Buffer.concat([Buffer.from('{"success":true}\n'), bytes, Buffer.from('\n{"success":true}\n')]);
    const at = world();
    const { out, err, code } = await tail(at, file, '--status', status);
    expect([code, err]).toEqual([0, '']);
    expect(rows(out)).toHaveLength(1);
    expect(out).not.toMatch(/[\0-\x09\x0b-\x1f]/);
    expect((await tail(at, file, '--exit-on', 'failed')).code).toBe(15);
    // It may be the first one, too.
    expect(rows((await tail(at, Buffer.concat([bytes, Buffer.from('\n')]))).out)).toHaveLength(1);
  });

  test('a hole longer than any line may be does not take the line after it', async () => {
    const file = Buffer.concat([Buffer.alloc(3_000_000), Buffer.from('{"n":1,"success":false}\n{"n":2}\n')]);
    const { out, err } = await tail(world(), file);
    expect([rows(out).map(({ n }) => n), err]).toEqual([[1, 2], '']);
  });

  test.each(VECTORS.unreadable)('%j is never a yes', async (line) => {
    const alone = await tail(world(), Buffer.from(`${line}\n`));
    expect([alone.code, alone.out]).toEqual([3, '']);
    expect(alone.err).toContain('Not one line could be read');
    const mixed = Buffer.from(`{"success":true}\n${line}\n`);
    expect((await tail(world(), mixed)).code).toBe(0);
    for (const on of ['failed', 'revoked', 'AIP-E202:2'])
      expect((await tail(world(), mixed, '--exit-on', on)).code).toBe(15);
  });

  test('blanks alone is an empty log', async () => {
    const { code, out } = await tail(world(), Buffer.from('\n \r\n\t\n'), '--exit-on', 'failed');
    expect([code, out]).toEqual([0, '']);
  });

  test.each(VECTORS.texts)('$name is printed as it was written', async ({ line, printed }) => {
    expect((await tail(world(), Buffer.from(`${line}\n`))).out).toBe(`${printed}\n`);
  });
});

describe('what is no text', () => {
  test.each(VECTORS.encodings)('$name is named, with the command that unpacks it', async ({ hex, hint }) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const command of ['tail', 'verify']) {
      const at = world();
      const file = written(at, bytes);
      const { code, err } = await at.run('logs', command, '--file', file);
      expect(code).toBe(3);
      expect(err).toContain(`hint: ${hint}`);
      expect(err).toContain(`aip logs ${command} --file -`);
    }
    const piped = world();
    const done = piped.run('logs', 'tail', '--file', '-', '--exit-on', 'failed');
    // Byte by byte, as a slow pipe does.
    for (const byte of bytes) {
      piped.io.stdin.push(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    piped.io.stdin.push(null);
    expect((await done).code).toBe(3);
  });
});
