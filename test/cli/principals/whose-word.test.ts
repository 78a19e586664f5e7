import type { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openState } from '../../../src/adapters/sqlite/open.js';
import { household, settled } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, page, PRINCIPAL, publicKeyText } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';

const STRANGER = publicKeyText('stranger');

describe('a pin that flags or config give stands in for the one kept here, also for passports known here', () => {
  const accepted = async (env: Record<string, string>, ...flags: string[]) => {
    const machine = await settled();
    machine.file('intent.json', line(refund('pinned')));
    Object.assign(machine.io.env, env);
    return machine.json('intent', 'verify', machine.at('intent.json'), ...flags);
  };

  test('while the kept one counts without them', async () => {
    expect(await accepted({})).toMatchObject({ code: 0 });
    const other = { AIP_PRINCIPALS: JSON.stringify({ 'did:web:other.com': STRANGER }) };
    expect(await accepted(other, '--principal-key', `did:web:another.com=${STRANGER}`)).toMatchObject({ code: 0 });
  });

  test.each([
    ['config', { AIP_PRINCIPALS: JSON.stringify({ [PRINCIPAL]: STRANGER }) }, []],
    ['a flag', {}, ['--principal-key', `${PRINCIPAL}=${STRANGER}`]],
    ['a flag beside --resolve', {}, ['--principal-key', `${PRINCIPAL}=${STRANGER}`, '--resolve']],
  ])('given by %s', async (_, env, flags) => {
    const { code, value } = await accepted(env, ...flags);
    expect([code, value.error_code]).toEqual([10, 'AIP-E103']);
  });
});

test('a stream believes a principal no longer than it is pinned', async () => {
  const machine = await settled();
  const running = machine.run('intent', 'verify', '-', '--ndjson');
  const answers = async (count: number) =>
    expect.poll(() => machine.out().split('\n').length - 1, { timeout: 20_000 }).toBe(count);
  machine.type(line(refund('before')));
  await answers(1);
  const state = openState(machine.state, { random: (n) => new Uint8Array(n) });
  expect(state.unpin(PRINCIPAL)).toBe(1);
  state.close();
  machine.type(line(refund('after')));
  await answers(2);
  (machine.io.stdin as unknown as PassThrough).end();
  const { code, out } = await running;
  const codes = out
    .trimEnd()
    .split('\n')
    .map((text) => (JSON.parse(text) as { error_code: string | null }).error_code);
  expect([code, codes]).toEqual([10, [null, 'AIP-E103']]);
});

describe('of several passports of one agent', () => {
  const verified = async (...names: string[]) => {
    const machine = household();
    machine.file('wide.json', page(passport('support-agent-v1', { issued_at: '2026-02-01T00:00:00Z' })));
    const narrow = { issued_at: '2026-02-02T00:00:00Z', actions: ['send_email'] };
    machine.file('narrow.json', page(passport('support-agent-v1', narrow)));
    machine.file('edited.json', page({ ...passport('support-agent-v1', narrow), constraints: { unknown: 1 } }));
    machine.file('intent.json', line(refund('given')));
    const flags = names.flatMap((name) => ['-p', machine.at(`${name}.json`)]);
    const pin = ['--principal-key', `${PRINCIPAL}=${publicKeyText('principal')}`];
    return (await machine.json('intent', 'verify', machine.at('intent.json'), ...flags, ...pin)).value.error_code;
  };

  test('the latest counts, in whatever order they are given', async () => {
    expect(await verified('wide')).toBeNull();
    expect(await verified('narrow', 'wide')).toBe('AIP-E201');
    expect(await verified('wide', 'narrow')).toBe('AIP-E201');
  });

  test('none counts beside one that cannot be read', async () => {
    expect(await verified('edited', 'wide')).toBe('AIP-E103');
    expect(await verified('wide', 'edited')).toBe('AIP-E103');
  });
});
