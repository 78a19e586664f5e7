import { describe, expect, test } from 'vitest';
import { MAX_DOCUMENT_BYTES } from '../../../src/protocol/limits.js';
import type { Decision } from '../../../src/verify/decision.js';
import { settled, type Household } from '../../kit/native/household.js';
import { intent, operate, refund } from '../../kit/native/intent-parts.js';
import { line } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';

const decisions = (out: string): Decision[] =>
  out === ''
    ? []
    : out
        .replace(/\n$/, '')
        .split('\n')
        .map((text) => JSON.parse(text) as Decision);
const codes = (out: string) => decisions(out).map(({ error_code }) => error_code ?? 'ok');
const cancel = (i: number) => line(operate(`cancel ${i}`, 'scale_service', {}));

async function judged(stdin: string, ...flags: string[]) {
  const machine = await settled({ stdin });
  return { machine, ...(await machine.run('intent', 'verify', '-', '--ndjson', ...flags)) };
}

describe('a stream', () => {
  test('has a line out for a line in, in order, with the number of its line', async () => {
    const good = line(refund('one'));
    const { code, out, err } = await judged(`${good}${good}rubbish\n${line(refund('two', { action: 'x' }))}`);
    expect([code, err]).toEqual([11, '']);
    expect(codes(out)).toEqual(['ok', 'AIP-E301', 'AIP-E100', 'AIP-E201']);
    expect(decisions(out).map(({ source }) => source)).toEqual(['-:1', '-:2', '-:3', '-:4']);
  });

  test('counts blank lines, and answers none', async () => {
    const { code, out } = await judged(`\n\n${line(refund('one'))}  \t\r\n\n${line(refund('two'))}\n`);
    expect(code).toBe(0);
    expect(decisions(out).map(({ source }) => source)).toEqual(['-:3', '-:6']);
  });

  test('takes a last line without its newline, and lines that end as on Windows', async () => {
    const { code, out } = await judged(`${line(refund('one')).trimEnd()}\r\n${line(refund('two')).trimEnd()}`);
    expect([code, codes(out)]).toEqual([0, ['ok', 'ok']]);
  });

  test('refuses a line that is cut short at its end', async () => {
    const text = line(refund('one'));
    const { code, out } = await judged(text + line(refund('two')).slice(0, 300));
    expect([code, codes(out)]).toEqual([10, ['ok', 'AIP-E100']]);
  });

  test.each([1, 2, 40])('refuses %d over-long lines and goes on', async (n) => {
    const long = `{"agent_id":"${'a'.repeat(3 * MAX_DOCUMENT_BYTES)}"}\n`;
    const { code, out } = await judged(long.repeat(n) + line(refund('after')));
    expect(code).toBe(10);
    expect(codes(out)).toEqual([...Array<string>(n).fill('AIP-E100'), 'ok']);
    expect(decisions(out)[0]!.message).toContain(`larger than ${MAX_DOCUMENT_BYTES} bytes`);
  });

  test('tells a line of exactly the limit from one byte more', async () => {
    const text = line(refund('limit')).trimEnd();
    const padded = (bytes: number) => `${text}${' '.repeat(bytes - Buffer.byteLength(text))}\n`;
    const { out } = await judged(padded(MAX_DOCUMENT_BYTES) + padded(MAX_DOCUMENT_BYTES + 1));
    expect(codes(out)).toEqual(['ok', 'AIP-E100']);
  });

  test('is refused as a line where two documents share it', async () => {
    const { out } = await judged(`${line(refund('one')).trimEnd()}${line(refund('two'))}`);
    expect(codes(out)).toEqual(['AIP-E100']);
  });

  test('is cut at newlines alone, not at what Unicode calls a line', async () => {
    const odd = line(intent('odd', { params: { note: 'a\u2028b\u0085c' } }));
    const { out } = await judged(odd);
    expect(codes(out)).toEqual(['ok']);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
  });

  test('judges the same on one core and on two, whatever the size of a batch', async () => {
    const lines = Array.from({ length: 700 }, (_, i) =>
      i % 50 === 49 ? 'rubbish\n' : i % 70 === 69 ? cancel(i - 1) : cancel(i),
    ).join('');
    const answers = await Promise.all(
      ['1', '2', '8'].map(async (jobs) => {
        const machine = await settled({ stdin: lines, passport: 'passport-operator.json' });
        const { out, code } = await machine.run('intent', 'verify', '-', '--ndjson', '--jobs', jobs);
        expect(code).toBe(10);
        return codes(out);
      }),
    );
    expect(answers[0]).toHaveLength(700);
    expect(new Set(answers[0])).toEqual(new Set(['ok', 'AIP-E100', 'AIP-E301']));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  test('stops at the first refusal with --fail-fast, and leaves the rest unjudged', async () => {
    const lines = [refund('one'), refund('two', { action: 'x' }), refund('three')].map(line).join('');
    const { machine, code, out } = await judged(lines, '--fail-fast');
    expect([code, codes(out)]).toEqual([12, ['ok', 'AIP-E201']]);
    expect(stored(machine.state)).toMatchObject({ entries: 2 });
  });

  test('with --dry-run keeps nothing', async () => {
    const { machine, out } = await judged(line(refund('one')).repeat(2), '--dry-run');
    expect(codes(out)).toEqual(['ok', 'ok']);
    expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0, usages: 0 });
  });

  test('may be several files, and each is named', async () => {
    const machine = await settled();
    const first = machine.file('first.ndjson', line(refund('one')));
    const second = machine.file('second.ndjson', `\n${line(refund('two'))}`);
    const { code, out } = await machine.run('intent', 'verify', first, second, '--ndjson', '--json');
    expect(code).toBe(0);
    expect(decisions(out).map(({ source }) => source)).toEqual([`${first}:1`, `${second}:2`]);
  });

  test('reports nothing of any file when one of them is not there', async () => {
    const machine = await settled();
    const first = machine.file('first.ndjson', line(refund('one')));
    expect(await machine.run('intent', 'verify', first, machine.at('no.ndjson'), '--ndjson')).toMatchObject({
      code: 3,
      out: '',
    });
    expect(stored(machine.state)).toMatchObject({ entries: 0 });
  });
});

describe('a writer who waits for answers', () => {
  /** Resolves when so many answers are there; fails after a while, which is only ever reached when they never come. */
  async function answered(machine: Household, count: number): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (machine.out().split('\n').length - 1 >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${machine.out().split('\n').length - 1} answers of ${count}`);
  }

  test.each([1, 31, 32, 100, 256, 257, 600])('gets all %d before the stream ends', async (n) => {
    const machine = await settled({ passport: 'passport-operator.json' });
    const running = machine.run('intent', 'verify', '-', '--ndjson');
    for (let round = 0; round < 2; round++) {
      machine.type(Array.from({ length: n }, (_, i) => cancel(round * n + i)).join(''));
      await answered(machine, (round + 1) * n);
    }
    machine.io.stdin.push(null);
    expect((await running).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ entries: 2 * n });
  });

  test('is told 130 when he is interrupted, and what was answered is kept', async () => {
    const machine = await settled();
    const running = machine.run('intent', 'verify', '-', '--ndjson');
    machine.type(line(refund('kept')));
    await answered(machine, 1);
    machine.interrupt(130);
    expect((await running).code).toBe(130);
    expect(stored(machine.state)).toMatchObject({ entries: 1, nonces: 1 });
  });
});
