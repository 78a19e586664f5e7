/** A mesh whose own key is asked where it lives: no command waits in a transaction, and without signatures nothing is said. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import { unsignedCheckpoint } from '../../../src/mesh/log/checkpoint.js';
import { parseEvent } from '../../../src/mesh/log/event.js';
import { HEARTBEAT_MS } from '../../../src/mesh/limits.js';
import { StoreTrouble } from '../../../src/mesh/log/store.js';
import { signatureHolds, type SignatureUse } from '../../../src/mesh/log/signing.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { ISSUER_KEY, publishedPassport } from '../../kit/mesh/passports.js';
import { AGENT, check, LOG_ID, PRINCIPAL, sign, TestMesh } from '../../kit/mesh/server.js';

/** A key that answers later, or not at all while it is out. */
class AskedKey {
  out = false;
  /** Proofs of the head are signed when this is settled. */
  held: Promise<void> = Promise.resolve();
  /** Nothing is signed before this is settled. */
  busy: Promise<void> = Promise.resolve();
  asked = 0;
  /** Questions under way at once. */
  most = 0;
  #running = 0;

  readonly sign = async (text: string): Promise<string> => {
    this.asked++;
    this.most = Math.max(this.most, ++this.#running);
    await wait(1);
    await this.busy;
    if (text.includes('"boot":')) await this.held;
    this.#running--;
    if (this.out) throw new Error('the agent is locked');
    return sign(text);
  };
}

async function started() {
  const key = new AskedKey();
  const store = new MemoryMeshStore(LOG_ID);
  const mesh = await TestMesh.start({ store, sign: key.sign, keyIsAsked: true });
  const events = async () => (await store.read(0, 100)).map(({ text }) => parseEvent(text));
  return { key, store, mesh, events };
}

describe('a key that is asked', () => {
  test('signs events, heads, snapshots and the ends of shipped logs, a batch side by side', async () => {
    const { key, mesh, events } = await started();
    const subjects = [1, 2, 3, 4, 5].map((n) => `did:web:acme.com:agents:a${n}`);
    const answers = await Promise.all(subjects.map((agent_id) => mesh.command('revoke', { agent_id })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(key.most).toBeGreaterThan(1);
    const log = await events();
    expect(log.map(({ agent_id }) => agent_id)).toEqual(subjects);
    for (const event of log) expect(signatureHolds(event as unknown as JsonObject, check)).toBe(true);
    const head = JSON.parse((await mesh.server.prover.checkpoint('c1'))!) as JsonObject;
    expect(head).toMatchObject({ head: 5, challenge: 'c1' });
    expect(signatureHolds(head, check)).toBe(true);
    const snapshot = await mesh.ask('GET', '/v1/mesh/snapshot', 'verifier');
    expect(snapshot.status).toBe(200);
    expect(signatureHolds(JSON.parse(snapshot.body.trimEnd().split('\n').at(-1)!) as JsonObject, check)).toBe(true);
  });

  test('a command that waits for it while the server is sealed is not written into the history that ended', async () => {
    const { key, mesh, store } = await started();
    const command = mesh.command('revoke');
    while (key.asked === 0) await wait(0);
    const at = { time: '2026-02-18T14:23:45.000Z', upMs: 1, boot: 'elsewhere' };
    const body = unsignedCheckpoint({ logId: LOG_ID, term: 9, seq: 0, hash: '0'.repeat(64) }, at, null);
    const proof = JSON.stringify({ ...body, signature: sign(canonicalize(body)) });
    await mesh.server.prover.heardOfTerm(9, Buffer.from(proof).toString('base64url'));
    const answer = await command;
    expect([answer.status, answer.json()]).toMatchObject([503, { code: 'MESH_SEALED', details: { term: 9 } }]);
    expect((await store.head()).seq).toBe(0);
  });

  test('a command that waits for it while its API key is revoked is not written, and the others of its batch are', async () => {
    const { key, mesh, events } = await started();
    const other = 'did:web:acme.com:agents:other';
    const commands = [mesh.command('revoke', {}, 'operator'), mesh.command('revoke', { agent_id: other }, 'admin')];
    while (key.asked < 2) await wait(0);
    const revoked = await mesh.ask('DELETE', `/v1/mesh/keys/${mesh.keys.operator.keyId}`, 'admin');
    expect(revoked.json()).toMatchObject({ revoked: true });
    const [refused, done] = await Promise.all(commands);
    expect([refused!.status, refused!.json()]).toMatchObject([401, { code: 'UNAUTHENTICATED' }]);
    expect(done!.json()).toMatchObject({ seq: 1, agent_id: other });
    expect((await events()).map(({ agent_id }) => agent_id)).toEqual([other]);
  });

  test('a passport that waits for it while the key that signed it is registered no more is not in force', async () => {
    const { key, mesh, store } = await started();
    await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: ISSUER_KEY });
    const publication = { cmd_id: 'publish-1', passport: publishedPassport(AGENT, 1) };
    const published = mesh.ask('POST', '/v1/mesh/passports', 'operator', publication);
    while (key.asked === 0) await wait(0);
    const path = `/v1/mesh/principals/${encodeURIComponent(PRINCIPAL)}`;
    expect((await mesh.ask('DELETE', path, 'admin')).json()).toMatchObject({ removed: 1 });
    expect((await published).json()).toMatchObject({ code: 'PRINCIPAL_UNKNOWN' });
    expect([(await store.head()).seq, await store.passports.mark(AGENT)]).toEqual([0, null]);
  });

  test('a passport about which the store gives no answer does not hold up the deny beside it', async () => {
    const { key, mesh, store, events } = await started();
    await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: ISSUER_KEY });
    let free = (): void => undefined;
    key.busy = new Promise((resolve) => (free = resolve));
    const first = mesh.command('revoke');
    while (key.asked === 0) await wait(0);
    const publication = { cmd_id: 'publish-1', passport: publishedPassport(AGENT, 1) };
    const published = mesh.ask('POST', '/v1/mesh/passports', 'operator', publication);
    const other = 'did:web:acme.com:agents:other';
    const denied = mesh.command('revoke', { agent_id: other });
    while (mesh.server.committer.waiting < 2) await wait(0);
    store.principals.list = () => Promise.reject(new StoreTrouble('unavailable', 'it is away'));
    free();
    expect((await first).status).toBe(200);
    expect((await denied).status).toBe(200);
    expect((await published).json()).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect((await events()).map(({ agent_id }) => agent_id)).toEqual([AGENT, other]);
  });

  test('is asked once for the heartbeats of half a second, and again once the log went on', async () => {
    const { key, mesh } = await started();
    const first = await mesh.server.prover.heartbeat();
    const before = key.asked;
    mesh.clock.advance(400);
    expect(await mesh.server.prover.heartbeat()).toBe(first);
    expect(key.asked).toBe(before);
    await mesh.command('revoke');
    const next = JSON.parse((await mesh.server.prover.heartbeat())!) as JsonObject;
    expect(next).toMatchObject({ head: 1 });
    expect(signatureHolds(next, check)).toBe(true);
    mesh.clock.advance(600);
    expect(await mesh.server.prover.heartbeat()).not.toBe(JSON.stringify(next));
  });

  test('proves no head to streams that are past it when the signature comes', async () => {
    const { key, mesh } = await started();
    const reader = await mesh.stream('/v1/mesh/stream?v=2');
    const beforeBeat = key.asked;
    let release = (): void => undefined;
    key.held = new Promise((resolve) => (release = resolve));
    for (let ms = 0; ms < 2 * HEARTBEAT_MS && key.asked === beforeBeat; ms += 100) {
      mesh.clock.advance(100);
      mesh.server.tick();
      await wait(1);
    }
    expect((await mesh.command('revoke')).json()).toMatchObject({ seq: 1 });
    release();
    await wait(20);
    const behind = reader.text.split('"cmd_id"')[1]!;
    expect(behind).toContain(': heartbeat');
    expect(behind).not.toContain('"head":0');
    for (let ms = 0; ms < HEARTBEAT_MS; ms += 100) {
      mesh.clock.advance(100);
      mesh.server.tick();
      await wait(3);
    }
    expect(reader.text).toContain('"head":1');
  });

  test('is asked no more often for heartbeats where others ask for proofs of their own meanwhile', async () => {
    const { key, mesh } = await started();
    await mesh.server.prover.heartbeat();
    const before = key.asked;
    for (let i = 0; i < 9; i++) {
      mesh.clock.advance(50);
      await mesh.server.prover.checkpoint(i % 2 === 0 ? `c${i}` : null);
      await mesh.server.prover.heartbeat();
    }
    expect(key.asked - before).toBe(9 + 1);
  });

  test('that gives no signature writes nothing, proves nothing, and ends nothing', async () => {
    const { key, mesh, store, events } = await started();
    key.out = true;
    const refused = await mesh.command('revoke', { cmd_id: 'cmd-while-out' });
    expect([refused.status, refused.json()]).toMatchObject([
      503,
      { code: 'STORE_UNAVAILABLE', retryable: true, message: 'The key of the mesh gives no signature now: ask again.' },
    ]);
    expect(await events()).toEqual([]);
    expect(await store.answers(['cmd-while-out'])).toEqual([]);
    expect(await mesh.server.prover.checkpoint()).toBeNull();
    expect(await mesh.server.prover.heartbeat()).toBeNull();
    expect((await mesh.ask('GET', '/v1/mesh/snapshot', 'verifier')).status).toBe(503);
    expect(mesh.fatal).toEqual([]);
    key.out = false;
    expect((await mesh.command('revoke', { cmd_id: 'cmd-while-out' })).json()).toMatchObject({ seq: 1 });
    expect((await mesh.ask('GET', '/v1/mesh/snapshot', 'verifier')).status).toBe(200);
    mesh.clock.advance(600);
    expect(await mesh.server.prover.heartbeat()).not.toBeNull();
  });

  test('a batch is signed anew where another server wrote meanwhile', async () => {
    const { mesh, store, events } = await started();
    let meanwhile: unknown = null;
    const beside = await TestMesh.start({
      store: store.reopened(),
      sign: async (text) => {
        meanwhile ??= await mesh.command('suspend', { duration_seconds: 60 });
        return sign(text);
      },
    });
    const answer = await beside.command('revoke');
    expect(answer.json()).toMatchObject({ seq: 2, version: 2 });
    const log = await events();
    expect(log.map(({ type }) => type)).toEqual(['suspension', 'revocation']);
    for (const event of log) expect(signatureHolds(event as unknown as JsonObject, check)).toBe(true);
  });

  test('is asked no more for a poll that was given up, and first for commands and heartbeats', async () => {
    const uses: (SignatureUse | undefined)[] = [];
    let isStuck = true;
    const mesh = await TestMesh.start({
      keyIsAsked: true,
      sign: (text, use) => {
        uses.push(use);
        return isStuck ? new Promise(() => undefined) : Promise.resolve(sign(text));
      },
    });
    const poll = mesh.ask('GET', `/v1/mesh/events?wait=0&after=0&challenge=${'ab'.repeat(16)}`, 'observer');
    while (uses.length === 0) await wait(1);
    expect(uses[0]).toMatchObject({ keyId: expect.any(String) as string });
    expect([uses[0]!.isFirst, uses[0]!.isOver!()]).toEqual([undefined, false]);
    mesh.clock.advance(1_100);
    mesh.server.tick();
    expect((await poll).status).toBe(503);
    expect(uses[0]!.isOver!()).toBe(true);
    isStuck = false;
    uses.length = 0;
    await mesh.command('revoke');
    expect(uses.map((use) => use?.isFirst)).toEqual([true]);
    await mesh.server.prover.heartbeat();
    expect(uses.at(-1)).toMatchObject({ isFirst: true });
  });
});
