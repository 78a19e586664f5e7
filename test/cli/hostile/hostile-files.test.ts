import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MAX_DOCUMENT_BYTES } from '../../../src/protocol/limits.js';
import { settled } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line } from '../../kit/native/parts.js';

describe('verification', () => {
  test('ends on a pipe that nobody writes to, and judges the files beside it', async () => {
    const machine = await settled();
    mkdirSync(machine.at('outbox'));
    writeFileSync(machine.at('outbox/1.json'), line(refund('good')));
    execFileSync('mkfifo', [machine.at('outbox/2.json')]);
    const all = [machine.at('outbox/*.json')];
    for (const argv of [
      [machine.at('outbox/2.json'), '--ndjson'],
      [...all, '--fail-fast'],
    ])
      expect(await machine.run('intent', 'verify', ...argv)).toMatchObject({ code: 3, out: '' });
    const { code, out, err } = await machine.run('intent', 'verify', ...all);
    expect([code, out, err]).toEqual([
      3,
      expect.stringContaining('ok issue_refund'),
      expect.stringContaining('2.json'),
    ]);
  });

  test('a tail names a pipe instead of waiting for its writer where no signal is heard', async () => {
    const machine = await settled();
    execFileSync('mkfifo', [machine.at('idle.log')]);
    const { code, err } = await machine.run('logs', 'tail', '--file', machine.at('idle.log'));
    expect([code, err]).toEqual([3, expect.stringContaining('--file - < ')]);
  });

  test('answers a line whose blanks hide something beyond the limit', async () => {
    const hidden = `${' '.repeat(MAX_DOCUMENT_BYTES + 1)}${line(refund('hidden', { action: 'x' }))}`;
    const machine = await settled({ stdin: line(refund('good')) + hidden });
    const { code, out } = await machine.run('intent', 'verify', '-', '--ndjson');
    expect(code).toBe(10);
    expect(out.trimEnd().split('\n')).toHaveLength(2);
  });
});
