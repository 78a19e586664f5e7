/** Passports in the log: who may put one in force, in which order, and what older clients see in their place. */
import { describe, expect, test } from 'vitest';
import { parseEvent } from '../../src/mesh/log/event.js';
import { readSnapshot } from '../../src/mesh/log/snapshot.js';
import { publicKeyOf } from '../../src/protocol/ed25519/sign.js';
import { formatPublicKey } from '../../src/protocol/identity/keys.js';
import { canonicalize } from '../../src/protocol/json/canonical.js';
import { ISSUER_KEY, ISSUER_SEED, publishedPassport } from '../kit/mesh/passports.js';
import { AGENT, check, PRINCIPAL, settle, TestMesh } from '../kit/mesh/server.js';

const passport = (serial: number, fields: object = {}, seed = ISSUER_SEED) =>
  publishedPassport(AGENT, serial, fields, seed);

let next = 1;
const publish = (
  mesh: TestMesh,
  document: object,
  more: object = {},
  role: 'verifier' | 'operator' | 'admin' = 'operator',
) => mesh.ask('POST', '/v1/mesh/passports', role, { cmd_id: `publish-${next++}`, passport: document, ...more });

async function registered(): Promise<TestMesh> {
  const mesh = await TestMesh.start();
  await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: ISSUER_KEY });
  return mesh;
}

describe('publishing', () => {
  test('appends one event of the second version, serves the document by its hash, and is harmless twice', async () => {
    const mesh = await registered();
    const first = (await publish(mesh, passport(1))).json<{ passport_hash: string }>();
    expect(first).toMatchObject({ agent_id: AGENT, serial: 1, seq: 1, changed: true });
    expect((await publish(mesh, passport(1))).json()).toMatchObject({ seq: 1, changed: false });
    const [record] = await mesh.store.read(0, 10);
    expect(parseEvent(record!.text)).toMatchObject({
      v: 2,
      type: 'passport',
      serial: 1,
      passport_hash: first.passport_hash,
    });
    const served = await mesh.ask('GET', `/v1/mesh/passports/${first.passport_hash}`, 'observer');
    expect(served.body).toBe(canonicalize(passport(1) as never));
    expect((await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json()).toMatchObject({
      status: 'active',
      version: 0,
    });
  });

  test.each([
    ['an unknown principal', async () => TestMesh.start(), passport(1), {}, 'PRINCIPAL_UNKNOWN'],
    ['another key', registered, passport(1, {}, new Uint8Array(32).fill(9)), {}, 'PASSPORT_INVALID'],
    ['no serial', registered, passport(1, { serial: undefined }), {}, 'BAD_REQUEST'],
    ['a leap of serials', registered, passport(1_001), {}, 'SERIAL_LEAP'],
    ['a leap that an operator forces', registered, passport(1_001), { force: true }, 'SERIAL_LEAP'],
    ['another member', registered, passport(1, { more: 1 }), {}, 'BAD_REQUEST'],
  ])('is refused for %s, and leaves no event', async (_, start, document, more, code) => {
    const mesh = await start();
    expect((await publish(mesh, document, more)).json()).toMatchObject({ code });
    expect((await mesh.store.head()).seq).toBe(0);
  });

  test('a lower serial is superseded, the same with other bytes a conflict; an admin may leap', async () => {
    const mesh = await registered();
    await publish(mesh, passport(5));
    expect((await publish(mesh, passport(4))).json()).toMatchObject({ code: 'PASSPORT_SUPERSEDED' });
    expect((await publish(mesh, passport(5, { actions: ['all'] }))).json()).toMatchObject({
      code: 'PASSPORT_CONFLICT',
      details: { serial: 5 },
    });
    expect((await publish(mesh, passport(2_000), { force: true }, 'admin')).status).toBe(200);
    expect((await publish(mesh, passport(2_001), {}, 'verifier')).json()).toMatchObject({ code: 'FORBIDDEN' });
    const withdrawal = { cmd_id: 'withdraw-1', agent_id: AGENT };
    expect((await mesh.ask('POST', '/v1/mesh/passports/withdraw', 'operator', withdrawal)).status).toBe(403);
    expect((await mesh.ask('POST', '/v1/mesh/passports/withdraw', 'admin', withdrawal)).json()).toMatchObject({
      changed: true,
    });
    expect((await publish(mesh, passport(4))).json()).toMatchObject({ serial: 4, changed: true });
  });

  test('a denied key of a principal, or a denied principal, makes nothing any more', async () => {
    for (const subject of [ISSUER_KEY, PRINCIPAL]) {
      const mesh = await registered();
      await mesh.command('revoke', { agent_id: subject });
      expect((await publish(mesh, passport(1))).json()).toMatchObject({ code: 'PASSPORT_INVALID' });
    }
  });

  test('the standing of an agent names the keys of its passport that are stopped, and verify no more', async () => {
    const mesh = await registered();
    const [past, future] = ['2026-02-18T14:00:00Z', '2026-02-19T14:00:00Z'];
    const [gone, old] = [20, 21].map((n) => formatPublicKey(publicKeyOf(new Uint8Array(32).fill(n))));
    const previous_keys = [
      { key_id: `${AGENT}#key-2`, public_key: old!, valid_until: future },
      { key_id: `${AGENT}#key-1`, public_key: gone!, valid_until: past },
    ];
    await publish(mesh, passport(1, { key_id: `${AGENT}#key-3`, previous_keys }));
    const status = async () => (await mesh.ask('GET', `/v1/mesh/status/${AGENT}`, 'observer')).json();
    for (const agent_id of [old, gone]) await mesh.command('suspend', { agent_id, duration_seconds: 60 });
    expect(await status()).toMatchObject({
      status: 'active',
      stopped_keys: [{ key_id: `${AGENT}#key-2`, status: 'suspended' }],
    });
    mesh.clock.advance(61_000);
    expect(await status()).toMatchObject({ stopped_keys: [] });
  });

  test('while a verifier of the first version is on the roster it is refused, unless that is meant', async () => {
    const mesh = await registered();
    await mesh.stream('/v1/mesh/stream?verifier=old-1');
    const refused = (await publish(mesh, passport(1))).json();
    expect(refused).toMatchObject({ code: 'OLDER_VERIFIERS', message: expect.stringContaining('old-1') as string });
    expect((await publish(mesh, passport(1), { force: true })).status).toBe(200);
    expect((await mesh.ask('GET', '/v1/mesh/status', 'observer')).json()).toMatchObject({
      older: [{ label: 'old-1' }],
    });
  });
});

describe('what is told of it', () => {
  test('an event to those who ask for the second version; a skipped hash and a reset to the first; a comment to the reference', async () => {
    const mesh = await registered();
    const [second, first] = [await mesh.stream('/v1/mesh/stream?v=2'), await mesh.stream('/v1/mesh/stream')];
    const reference = await mesh.stream('/mesh/events');
    await publish(mesh, passport(1), { force: true });
    await settle();
    expect(second.of('event').map(({ data }) => parseEvent(data).type)).toEqual(['passport']);
    const [{ hash }] = (await mesh.store.read(0, 1)) as unknown as [{ hash: string }];
    expect(first.of('event')).toEqual([]);
    expect(first.of('skipped').map(({ data }) => JSON.parse(data) as object)).toMatchObject([{ seq: 1, hash }]);
    expect(first.of('reset')).toHaveLength(1);
    expect(reference.text).toContain(`: skipped ${hash}`);
    expect(reference.text).not.toContain('passport');
  });

  test('a poll of the first version is told to go on by the snapshot, which knows no passports', async () => {
    const mesh = await registered();
    await mesh.command('revoke');
    await publish(mesh, passport(1));
    await mesh.command('suspend', { duration_seconds: 60 });
    const poll = (after: number, v: number) =>
      mesh
        .ask('GET', `/v1/mesh/events?after=${after}&wait=0s&v=${v}`, 'verifier')
        .then((answer) => answer.json<{ events: unknown[]; reset: unknown }>());
    expect(await poll(0, 1)).toMatchObject({ events: [{ seq: 1 }], reset: null });
    expect(await poll(1, 1)).toMatchObject({ events: [], reset: { reason: 'newer-kind' } });
    expect(await poll(2, 1)).toMatchObject({ events: [{ seq: 3 }], reset: null });
    expect((await poll(0, 2)).events).toHaveLength(3);
    const read = async (v: number) =>
      readSnapshot((await mesh.ask('GET', `/v1/mesh/snapshot?v=${v}`, 'verifier')).body, check);
    expect(await read(1)).toMatchObject({ head: { seq: 3 }, passports: null, standings: [{ subject: AGENT }] });
    expect(await read(2)).toMatchObject({
      passports: [{ agent: AGENT, serial: 1, seq: 2 }],
      standings: [{ subject: AGENT }],
    });
  });
});
