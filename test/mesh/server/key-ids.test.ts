/** Keys that are named by their ids: what stops a key is its text, wherever that is known. */
import { describe, expect, test, vi } from 'vitest';
import { parseEvent } from '../../../src/mesh/log/event.js';
import { readSnapshot } from '../../../src/mesh/log/snapshot.js';
import { MeshServer } from '../../../src/mesh/server/mesh-server.js';
import { AGENT_KEY, EARLIER_KEY, ISSUER_KEY, publishedPassport, STRANGER_KEY } from '../../kit/mesh/passports.js';
import { AGENT, check, PRINCIPAL, settle, sign, TestMesh } from '../../kit/mesh/server.js';

const passport = (serial: number, previous: object[] = []) =>
  publishedPassport(AGENT, serial, { previous_keys: previous });

async function published(): Promise<TestMesh> {
  const mesh = await TestMesh.start();
  await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: ISSUER_KEY });
  const previous = [{ key_id: `${AGENT}#key-0`, public_key: EARLIER_KEY, valid_until: '2026-02-19T14:23:45Z' }];
  await mesh.ask('POST', '/v1/mesh/passports', 'operator', { cmd_id: 'publish-1', passport: passport(1, previous) });
  return mesh;
}

let next = 1;
const order = (mesh: TestMesh, agent_id: string, more: object = {}, action = 'revoke') => {
  const cmd_id = `command-${next++}`;
  const reason = action === 'reinstate' ? {} : { reason: 'leaked' };
  return mesh.ask('POST', '/v1/mesh/commands', 'admin', { cmd_id, action, agent_id, ...reason, ...more });
};
const lastEvent = async (mesh: TestMesh) => {
  const { seq } = await mesh.store.head();
  const [record] = await mesh.store.read(seq - 1, 1);
  return parseEvent(record!.text);
};
const standing = async (mesh: TestMesh, subject: string) =>
  (await mesh.ask('GET', `/v1/mesh/status/${encodeURIComponent(subject)}`, 'observer')).json<{
    status: string;
    known: boolean;
    above: { agent_id: string; status: string; version: number }[];
  }>();

describe('an order that names a key by its id', () => {
  test.each([
    ['the current key of a published passport', `${AGENT}#key-1`, AGENT_KEY],
    ['a previous key of it', `${AGENT}#key-0`, EARLIER_KEY],
    ['the key of a registered principal', `${PRINCIPAL}#key-1`, ISSUER_KEY],
  ])('stops %s by its text; the event holds both', async (_what, id, text) => {
    const mesh = await published();
    const answer = (await order(mesh, id)).json();
    expect(answer).toMatchObject({ agent_id: text, key_id: id, status: 'revoked' });
    expect(await lastEvent(mesh)).toMatchObject({ v: 2, agent_id: text, key_id: id, scope: 'key' });
    const told = await standing(mesh, id);
    expect(told).toMatchObject({ status: 'active', known: true });
    expect(told.above[0]).toMatchObject({ agent_id: text, status: 'revoked' });
  });

  test('stops what the one who gives it knows, where the mesh does not', async () => {
    const mesh = await TestMesh.start();
    const answer = (await order(mesh, `${AGENT}#key-1`, { key_text: STRANGER_KEY })).json();
    expect(answer).toMatchObject({ agent_id: STRANGER_KEY, key_id: `${AGENT}#key-1` });
  });

  test('goes by the published passport, where the two differ', async () => {
    const mesh = await published();
    expect((await order(mesh, `${AGENT}#key-1`, { key_text: STRANGER_KEY })).json()).toMatchObject({
      agent_id: AGENT_KEY,
    });
  });

  test('denies the id where nobody knows the text', async () => {
    const mesh = await TestMesh.start();
    const id = `${AGENT}#key-7`;
    expect((await order(mesh, id)).json()).toMatchObject({ agent_id: id, key_id: null, status: 'revoked' });
    expect(await lastEvent(mesh)).not.toHaveProperty('key_id');
  });

  test('is still answered for when the passport that told the text is gone', async () => {
    const mesh = await published();
    await order(mesh, `${AGENT}#key-0`);
    await mesh.ask('POST', '/v1/mesh/passports', 'operator', { cmd_id: 'publish-2', passport: passport(2) });
    expect((await standing(mesh, `${AGENT}#key-0`)).above[0]).toMatchObject({
      agent_id: EARLIER_KEY,
      status: 'revoked',
    });
  });

  test('asked again under its cmd_id gets the same answer and one event', async () => {
    const mesh = await published();
    const command = { cmd_id: 'command-again', action: 'revoke', agent_id: `${AGENT}#key-1`, reason: 'leaked' };
    const first = (await mesh.ask('POST', '/v1/mesh/commands', 'admin', command)).json();
    const again = (await mesh.ask('POST', '/v1/mesh/commands', 'admin', command)).json();
    expect(again).toEqual(first);
  });

  test.each([
    ['a text beside an agent', AGENT, STRANGER_KEY],
    ['a text beside a text', STRANGER_KEY, STRANGER_KEY],
    ['an id as the text', `${AGENT}#key-1`, `${AGENT}#key-2`],
    ['no key as the text', `${AGENT}#key-1`, 'ed25519:00'],
  ])('is refused with %s', async (_what, id, key_text) => {
    const mesh = await TestMesh.start();
    expect((await order(mesh, id, { key_text })).status).toBe(400);
    expect((await mesh.store.head()).seq).toBe(0);
  });
});

test.each([
  ['the text of a published key', AGENT_KEY, true],
  ['the text of a registered key', ISSUER_KEY, true],
  ['the text of another key', STRANGER_KEY, false],
  ['an agent that was published', AGENT, true],
  ['another agent', `${AGENT}-2`, false],
  ['a principal that is registered', PRINCIPAL, true],
  ['another principal', 'did:web:other.example', false],
])('the mesh says whether it knows %s', async (_what, subject, known) => {
  expect(await standing(await published(), subject)).toMatchObject({ known });
});

test('the fleet says whose a stopped key is, where the mesh knows it', async () => {
  const mesh = await published();
  for (const key of [`${AGENT}#key-0`, AGENT_KEY, ISSUER_KEY, STRANGER_KEY]) await order(mesh, key);
  await mesh.ask('POST', '/v1/mesh/passports', 'operator', { cmd_id: 'publish-2', passport: passport(2) });
  const { above } = (await mesh.ask('GET', '/v1/mesh/fleet', 'observer')).json<{
    above: { subject: string; key_of: string | null }[];
  }>();
  expect(new Map(above.map(({ subject, key_of }) => [subject, key_of]))).toEqual(
    new Map([
      [EARLIER_KEY, `${AGENT}#key-0`],
      [AGENT_KEY, `${AGENT}#key-1`],
      [ISSUER_KEY, PRINCIPAL],
      [STRANGER_KEY, null],
    ]),
  );
});

test('the fleet says it of a key that is in its list, however many were stopped before', async () => {
  const mesh = await published();
  for (let n = 0; n < 55; n++) await order(mesh, `ed25519:${(200 + n).toString(16).repeat(32)}`);
  await order(mesh, AGENT_KEY);
  const fleet = await mesh.ask('GET', '/v1/mesh/fleet', 'observer');
  expect(fleet.json<{ above: object[] }>().above).toContainEqual(
    expect.objectContaining({ subject: AGENT_KEY, key_of: `${AGENT}#key-1` }),
  );
});

test('passports are searched once for whose a key is, however many events follow', async () => {
  const mesh = await published();
  const read = vi.spyOn(mesh.store.passports, 'document');
  const keyOf = async () => {
    const { above } = (await mesh.ask('GET', '/v1/mesh/fleet', 'observer')).json<{
      above: { subject: string; key_of: string | null }[];
    }>();
    return Object.fromEntries(above.map(({ subject, key_of }) => [subject, key_of]));
  };
  await order(mesh, AGENT_KEY);
  await order(mesh, STRANGER_KEY);
  read.mockClear();
  expect(await keyOf()).toEqual({ [AGENT_KEY]: `${AGENT}#key-1`, [STRANGER_KEY]: null });
  expect(read).toHaveBeenCalledTimes(1);
  await order(mesh, 'did:web:acme.com:agents:other');
  expect(await keyOf()).toEqual({ [AGENT_KEY]: `${AGENT}#key-1`, [STRANGER_KEY]: null });
  expect(read).toHaveBeenCalledTimes(1);
  // What is published since is read as well.
  await mesh.ask('POST', '/v1/mesh/passports', 'operator', { cmd_id: 'publish-3', passport: passport(2) });
  read.mockClear();
  await keyOf();
  expect(read).toHaveBeenCalledTimes(1);
});

describe('programs of the first version, which know no keys', () => {
  test('get the hashes of such an event, a reset, and a snapshot without keys', async () => {
    const mesh = await TestMesh.start();
    const first = await mesh.stream('/v1/mesh/stream?after=0');
    await order(mesh, AGENT);
    await order(mesh, STRANGER_KEY);
    await settle();
    expect(first.frames.map(({ event }) => event)).toEqual(['hello', 'event', 'skipped', 'reset']);
    const old = readSnapshot((await mesh.ask('GET', '/v1/mesh/snapshot', 'observer')).body, check);
    expect(old.standings.map(({ subject }) => subject)).toEqual([AGENT]);
    const young = readSnapshot((await mesh.ask('GET', '/v1/mesh/snapshot?v=2', 'observer')).body, check);
    expect(young.standings.map(({ subject }) => subject)).toEqual([AGENT, STRANGER_KEY].sort());
  });
});

test('a server that starts knows which keys of verifiers were stopped', async () => {
  const mesh = await TestMesh.start();
  await order(mesh, STRANGER_KEY);
  expect(mesh.server.roster.isDenied(STRANGER_KEY)).toBe(true);
  const again = await MeshServer.start({ ...mesh.server.options, sign });
  expect(again.roster.isDenied(STRANGER_KEY)).toBe(true);
  expect(again.roster.isDenied(AGENT_KEY)).toBe(false);
  again.stop(0);
});

test('the fleet names agents of published passports, also those that were never logged, until they are withdrawn', async () => {
  const mesh = await published();
  const fleet = async () =>
    (await mesh.ask('GET', '/v1/mesh/fleet?find=support', 'observer')).json<{ agents: object[] }>().agents;
  expect(await fleet()).toMatchObject([{ agent_id: AGENT, serial: 1, status: 'active' }]);
  await mesh.ask('POST', '/v1/mesh/passports/withdraw', 'admin', { cmd_id: 'withdraw-1', agent_id: AGENT });
  expect(await fleet()).toEqual([]);
});
