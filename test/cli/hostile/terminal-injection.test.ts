import { describe, expect, test } from 'vitest';
import { inFiles, settled, type Household } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { page } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { world } from '../../kit/world.js';

// A title, a cleared screen, an 8-bit colour, bidi, what is invisible, an overwritten line, and a line for the runner of a CI.
const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202ea\u200b\u2028\rX\b\u007f\n::error ::forged';
const OBEYED = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|^::error ::forged/m;

const INTENTS: Record<string, object> = {
  good: refund('good'),
  action: refund('action', { action: EVIL }),
  params: refund('params', { params: { [EVIL]: EVIL, to: EVIL, currency: EVIL } }),
  nonce: refund('nonce', { nonce: EVIL }),
  'key id': refund('key id', { key_id: EVIL }),
  target: refund('target', { target: EVIL }),
  agent: refund('agent', { agent_id: EVIL }),
  signature: { ...refund('signature'), signature: EVIL },
  member: { ...refund('member'), [EVIL]: 1 },
  passport: passport('support-agent-v1', { metadata: { [EVIL]: EVIL } }),
  'action of a passport': passport('support-agent-v1', { actions: [{ name: 'x', params: { [EVIL]: EVIL } }] }),
};

async function expectHarmless(machine: Household, ...argv: string[]): Promise<void> {
  const { code, out, err } = await machine.run(...argv);
  expect.soft(`${out}${err}`, `exit ${code} of aip ${argv.join(' ')}`).not.toMatch(OBEYED);
}

describe.each(Object.keys(INTENTS))('a file of a hostile name with a hostile %s', (what) => {
  test('does nothing to the terminal, whatever reads it', async () => {
    const machine = await settled();
    const file = machine.file(`${EVIL.replaceAll('/', '')}.json`, page(INTENTS[what] as never));
    for (const format of ['human', 'json', 'ndjson', 'github', 'sarif', 'junit']) {
      await expectHarmless(machine, 'intent', 'verify', file, '--format', format);
    }
    for (const flags of [['--json'], ['--verbose'], ['--ndjson'], ['-p', file]]) {
      await expectHarmless(machine, 'intent', 'verify', file, ...flags);
    }
    for (const command of ['inspect', 'sign --key-store env -p support-agent-v1']) {
      await expectHarmless(machine, 'intent', ...command.split(' '), file);
    }
    for (const command of ['verify', 'show', 'lint', 'import', 'rotate', 'export', 'export --format aip-1', 'delete']) {
      await expectHarmless(machine, 'passport', ...command.split(' '), file);
      await expectHarmless(machine, 'passport', ...command.split(' '), file, '--json');
    }
    await expectHarmless(
      machine,
      'passport',
      'create',
      'bot',
      '--domain',
      'acme.com',
      '--from',
      file,
      ...inFiles(machine),
    );
    await expectHarmless(machine, 'config', 'list', '--config', file);
    await expectHarmless(machine, 'exec', '--intent', file, '-a', 'x', '--', 'true');
    await expectHarmless(machine, 'logs', 'tail');
    await expectHarmless(machine, 'logs', 'tail', '--json');
  });
});

test('an argument is quoted without effect', async () => {
  const machine = await settled();
  const sign = ['intent', 'sign', '-p', 'support-agent-v1', '--key-store', 'env'];
  for (const argv of [
    ...[[], ['intent', 'verify'], ['passport', 'show'], ['principal', 'add'], ['explain'], ['help'], ['completion']],
    ...[sign, [...sign, '-a'], [...sign, '-a', 'issue_refund', '--target'], [...sign, '-a', 'x', '--params']],
    ...[['passport', 'create', 'bot', ...inFiles(machine), '--domain'], ['passport', 'create'], ['--home']],
  ]) {
    for (const text of [EVIL, `--${EVIL}`, `./${EVIL}.json`]) await expectHarmless(machine, ...argv, text);
    await expectHarmless(machine, ...argv, EVIL, '--json');
  }
});

test('a stack, for whoever asks for one, does nothing either', async () => {
  const { code, err } = await world().run('intent', 'verify', `./${EVIL}.json`, '--debug');
  expect(code).toBe(3);
  expect(err).toMatch(/^ {4}at /m);
  expect(err).not.toMatch(OBEYED);
});
