import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { publicKeyText, PRINCIPAL, SUPPORT } from '../../kit/native/parts.js';
import { Home } from '../../kit/mesh/homes.js';
import { settled } from '../../kit/native/household.js';

const stop = (...words: string[]) => [...words, '--reason', 'leak', '--by', 'did:web:acme.com', '--yes'];

test('aip status without an argument lists everything that is stopped: the widest first, whole ids, by whom, why', async () => {
  const home = await settled();
  expect((await home.run('status')).out).toContain('Nothing is stopped');
  await home.run(...stop('revoke', SUPPORT));
  await home.run(...stop('suspend', PRINCIPAL, '--for', '30m'));
  await home.run(...stop('revoke', publicKeyText('agent')));
  await home.run(...stop('suspend', '--everyone', '--for', '1h'));
  const { code, value } = await home.json<{ source: string; stopped: JsonObject[] }>('status');
  expect([code, value.source]).toEqual([0, 'this machine']);
  expect(value.stopped.map(({ subject, status }) => [subject, status])).toEqual([
    ['*', 'suspended'],
    [PRINCIPAL, 'suspended'],
    [publicKeyText('agent'), 'revoked'],
    [SUPPORT, 'revoked'],
  ]);
  expect(value.stopped[3]).toEqual({
    ...{ subject: SUPPORT, scope: 'agent', key_ids: [], status: 'revoked', reason: 'leak', by: 'did:web:acme.com' },
    ...{ since: '2026-02-18T14:23:45.000Z', until: null, mesh: null, here: 'revoked', repair: null },
    ...{
      agent_id: SUPPORT,
      revoked_by: 'did:web:acme.com',
      changed_at: '2026-02-18T14:23:45.000Z',
      suspended_until: null,
    },
  });
  const { agent_id, revoked_by, changed_at, suspended_until } = (await home.json<JsonObject>('status', SUPPORT)).value;
  expect(value.stopped[3]).toMatchObject({ agent_id, revoked_by, changed_at });
  expect(suspended_until).toBe(null);
  expect(value.stopped[1]).toMatchObject({ suspended_until: '2026-02-18T14:53:45.000Z' });
  expect(value.stopped[2]).toMatchObject({ key_ids: [`${SUPPORT}#key-1`] });
  const { out } = await home.run('status');
  expect(out).toContain(`REVOKED ${publicKeyText('agent')} (${SUPPORT}#key-1)`);
  expect(out).toContain(`REVOKED ${SUPPORT}\n  since 2026-02-18T14:23:45.000Z by did:web:acme.com: leak`);
  expect(out).toContain('4 stopped, says this machine, which belongs to no mesh.');
});

test('what was reinstated, and a suspension that is over, is not among them', async () => {
  const home = await settled();
  await home.run(...stop('revoke', SUPPORT));
  await home.run('reinstate', SUPPORT);
  expect((await home.json<{ stopped: JsonObject[] }>('status')).value.stopped).toEqual([]);
});

test('a key is stopped by each spelling of it, and by its id as logs name the agent', async () => {
  const home = await settled();
  const raw = Buffer.from(publicKeyText('agent').slice('ed25519:'.length), 'hex');
  const ssh = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), raw]).toString('base64');
  const spellings = [
    publicKeyText('agent').toUpperCase().replace('ED25519', 'ed25519'),
    raw.toString('base64url'),
    `ed25519:${raw.toString('base64url')}`,
    `ssh-ed25519 ${ssh} me@laptop`,
    'support-agent-v1@acme.com#key-1',
    'support-agent-v1#key-1',
  ];
  for (const spelling of spellings) {
    const revoked = await home.json(...stop('revoke', spelling));
    expect([spelling, revoked.code, revoked.value.agent_id]).toEqual([spelling, 0, publicKeyText('agent')]);
    expect((await home.json('status', spelling)).value).toMatchObject({ status: 'revoked' });
    expect((await home.run('reinstate', spelling, '--yes')).code).toBe(0);
  }
  expect((await home.run(...stop('revoke', 'support-agent-v9@acme.com#key-1'))).code).toBe(3);
});

test('of an agent that is active itself, a key that is stopped is said', async () => {
  const home = await settled();
  expect((await home.run('status', SUPPORT)).err).not.toContain('key_stopped');
  await home.run(...stop('revoke', publicKeyText('agent')));
  const { out, err } = await home.run('status', SUPPORT);
  expect([out, err]).toEqual([
    expect.stringContaining('ACTIVE'),
    expect.stringContaining(`The key ${SUPPORT}#key-1 is stopped: what it signs is refused`),
  ]);
});

test('suspend says for how long; of one that was stopped already, at least how long', async () => {
  const home = await settled();
  const suspend = async (time: string) =>
    (await home.run(...stop('suspend', SUPPORT, '--for', time))).out.split('\n')[0];
  expect(await suspend('90m')).toBe(`SUSPENDED ${SUPPORT} for 1 h 30 min`);
  expect(await suspend('30m')).toBe(`SUSPENDED ${SUPPORT} (it was already) for at least 30 min more`);
  await home.run(...stop('revoke', SUPPORT));
  expect(await suspend('30m')).toBe(`REVOKED ${SUPPORT} (it was already)`);
});

test('a mesh that cannot be asked: a command that reads does not say that nothing was changed, with --json neither', async () => {
  const home = new Home();
  const { running } = await home.serve();
  await running.stop();
  for (const json of [[], ['--json']]) {
    const said = await home.run(['status', 'did:web:acme.com:agents:bot', ...json]);
    expect(said).toMatchObject({ code: 5, err: expect.stringContaining('AIP-E500') as string });
    expect(said.err).not.toContain('Nothing was changed');
  }
});
