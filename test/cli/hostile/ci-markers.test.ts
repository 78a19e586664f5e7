/** Marks that CI runners obey, in everything that strangers can write: no format hands one on, and JSON stays the same document. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clean, safeJson } from '../../../src/cli/render/terminal/text.js';
import { settled } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { page } from '../../kit/native/parts.js';
import { world } from '../../kit/world.js';

const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/ci-markers.json', import.meta.url), 'utf8')) as {
  readonly obeyed: readonly string[];
  readonly texts: readonly string[];
  readonly honest: readonly string[];
};
const OBEYED = VECTORS.obeyed.map((source) => new RegExp(source, 'i'));

function expectInert(output: string, what: string): void {
  for (const pattern of OBEYED) expect.soft(output, what).not.toMatch(pattern);
}

test.each(VECTORS.texts)('%j is defused as text and escaped in JSON', (text) => {
  expect(OBEYED.some((pattern) => pattern.test(text.trimStart()) || pattern.test(`\n${text.slice(2)}`))).toBe(true);
  expectInert(clean(text), text);
  expectInert(safeJson({ [text]: [text] }), text);
  expect(JSON.parse(safeJson({ [text]: [text] }))).toEqual({ [text]: [text] });
});

test.each(VECTORS.honest)('%j stays as it is', (text) => {
  expect(clean(text)).toBe(text);
});

const EVERY = VECTORS.texts.join('\n');

describe('every format', () => {
  const cases = {
    action: refund('action', { action: EVERY }),
    params: refund('params', { params: { [EVERY]: EVERY, to: EVERY, currency: EVERY } }),
    target: refund('target', { target: EVERY }),
    agent: refund('agent', { agent_id: EVERY }),
    member: { ...refund('member'), [EVERY]: 1 },
  };
  test.each(Object.entries(cases))('of a hostile %s', async (what, intent) => {
    const machine = await settled();
    const file = machine.file(`${EVERY.replaceAll('/', '').slice(0, 200)}.json`, page(intent));
    const inert = async (...argv: string[]) => {
      const { out, err } = await machine.run(...argv);
      // The format of GitHub begins its own lines with a command.
      const own = argv.includes('github') ? out.replace(/^::(?:error|notice) (?:file|title)=/gm, '') : out;
      expectInert(`${own}\n${err}`, `${what}: aip ${argv.slice(0, 3).join(' ')}`);
    };
    for (const format of ['human', 'json', 'github', 'sarif', 'junit'])
      await inert('intent', 'verify', file, '--format', format);
    await inert('intent', 'verify', file, '--ndjson');
    await inert('intent', 'inspect', file);
    for (const format of ['human', 'json', 'github', 'sarif', 'junit'])
      await inert('passport', 'lint', file, '--format', format);
    await inert('passport', 'show', file);
    await inert('logs', 'tail');
    for (const format of ['jsonl', 'csv', 'cef', 'ocsf']) await inert('logs', 'export', '--format', format);
  });

  test('of lines that another program wrote', async () => {
    const line = JSON.stringify({
      time: EVERY,
      agent_id: EVERY,
      [EVERY]: EVERY,
      status: 'failed',
      details: { [EVERY]: EVERY },
    });
    for (const tty of [true, false]) {
      const { out, err } = await world({ stdin: `${line}\n`, tty: { stdout: tty } }).run('logs', 'tail', '--file', '-');
      expectInert(`${out}\n${err}`, `tty ${tty}`);
    }
  });
});
