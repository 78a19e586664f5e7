/** The mesh as a witness of verifiers' trees: what it cosigns, and what it never does. */
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import { meshWitnessKey } from '../../../src/mesh/log/tree-witness.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { noteSignatureHolds, readNote } from '../../../src/protocol/transparency/note.js';
import type { Role } from '../../../src/mesh/access/roles.js';
import { ENDPOINTS } from '../../../src/mesh/server/http/endpoints.js';
import { TestVerifier } from '../../kit/mesh/fleet.js';
import { check, LOG_ID, MESH_PUBLIC_KEY, sign, TestMesh } from '../../kit/mesh/server.js';
import { leavesOf, TestTree, TreeVerifier } from '../../kit/proof/trees.js';

const MESH = meshWitnessKey(parsePublicKey(MESH_PUBLIC_KEY)!)!;

async function started(): Promise<{ mesh: TestMesh; v: TreeVerifier; tree: TestTree }> {
  const mesh = await TestMesh.start();
  return { mesh, v: new TreeVerifier(11).enroll(mesh), tree: new TestTree(...leavesOf(7)) };
}

async function ask(mesh: TestMesh, body: unknown, role: Role = 'verifier') {
  const { status, json } = await mesh.ask('POST', '/v1/logs/tree', role, body);
  const { code, details, checkpoint } = json<{ code?: string; details?: unknown; checkpoint?: string }>();
  return { status, code, details, checkpoint };
}

const last = async (mesh: TestMesh, logId: string): Promise<string | null> =>
  (await mesh.ask('GET', `/v1/logs/tree?log=${logId}`, 'verifier')).json<{ checkpoint: string | null }>().checkpoint;

const refusals = async (mesh: TestMesh, reason: string): Promise<string | undefined> =>
  new RegExp(`aip_mesh_log_refused_total\\{reason="${reason}"\\} (\\d+)`).exec(
    (await mesh.ask('GET', '/metrics', 'observer')).body,
  )?.[1];

describe('the mesh cosigns', () => {
  test('a tree as it grows, with its own key and its own time, and says what it saw last', async () => {
    const { mesh, v, tree } = await started();
    expect(await last(mesh, v.logId)).toBeNull();
    let seen = 0;
    for (const size of [1, 2, 3, 7, 7]) {
      const asked = v.asks(tree, seen, size);
      const { status, checkpoint } = await ask(mesh, asked);
      expect(status).toBe(200);
      const note = readNote(checkpoint!);
      expect(noteSignatureHolds(note, MESH)).toEqual({ time: Math.floor(mesh.clock.now / 1000) });
      expect(note.text).toBe(readNote(asked['checkpoint'] as string).text);
      mesh.clock.advance(60_000);
      const told = readNote((await last(mesh, v.logId))!);
      expect([told.text, noteSignatureHolds(told, MESH)?.time]).toEqual([note.text, Math.floor(mesh.clock.now / 1000)]);
      seen = size;
    }
  });

  test('after another process has opened the store, which remembers', async () => {
    const store = new MemoryMeshStore(LOG_ID);
    const first = await TestMesh.start({ store });
    const v = new TreeVerifier(11).enroll(first);
    const tree = new TestTree(...leavesOf(4));
    expect((await ask(first, v.asks(tree))).status).toBe(200);
    const next = await TestMesh.start({ store });
    v.enroll(next);
    expect(await ask(next, v.asks(tree.add('more'), 0))).toMatchObject({ code: 'VERSION_CONFLICT' });
    expect((await ask(next, v.asks(tree, 4))).status).toBe(200);
  });

  test('with a key that is asked elsewhere, and what it could not sign is seen all the same', async () => {
    let isOut = true;
    const mesh = await TestMesh.start({
      keyIsAsked: true,
      sign: (text) => (isOut ? Promise.reject(new Error('the agent is locked')) : Promise.resolve(sign(text))),
    });
    const v = new TreeVerifier(11).enroll(mesh);
    const tree = new TestTree('a', 'b');
    expect(await ask(mesh, v.asks(tree))).toMatchObject({ status: 503 });
    isOut = false;
    // It was kept before it was to be signed: another tree of that size is a fork now.
    expect(await ask(mesh, v.asks(new TestTree('a', 'x'), 2))).toMatchObject({ code: 'LOG_FORK' });
    expect((await ask(mesh, v.asks(tree, 2))).status).toBe(200);
  });

  test('and remembers a verifier for ten years, and one whose key is ephemeral for one', async () => {
    const { mesh, v, tree } = await started();
    const passing = new TreeVerifier(12, 'c3'.repeat(16)).enroll(mesh, 'verifier', { ephemeral: true });
    for (const each of [v, passing]) expect((await ask(mesh, each.asks(tree))).status).toBe(200);
    const days = (await mesh.store.papers.list('log-tree', -1)).map(({ keepUntil }) =>
      Math.round((keepUntil - mesh.clock.now) / 86_400_000),
    );
    expect(days.sort((a, b) => a - b)).toEqual([366, 3660]);
  });

  test('the tree of who ships the log, where another API key had claimed its id', async () => {
    const { mesh, tree } = await started();
    const chain = new TestVerifier('v-1');
    chain.log({});
    const v = new TreeVerifier(11, chain.logId);
    const thief = new TreeVerifier(14, chain.logId).enroll(mesh, 'operator');
    const claimed = new TestTree(...leavesOf(9, 'x'));
    expect((await ask(mesh, thief.asks(claimed), 'operator')).status).toBe(200);
    expect(await ask(mesh, v.asks(tree))).toMatchObject({
      ...{ status: 403, code: 'FORBIDDEN' },
      details: { verifier: thief.publicKey, key_id: mesh.keys.operator.keyId },
    });
    await mesh.ask('POST', '/v1/logs', 'verifier', chain.shipment());
    expect((await ask(mesh, v.asks(tree))).status).toBe(200);
    expect(await last(mesh, chain.logId)).toContain('\n7\n');
    expect((await ask(mesh, thief.asks(claimed), 'operator')).status).toBe(403);
    expect(await ask(mesh, v.asks(new TestTree(...leavesOf(9, 'y')), 7))).toMatchObject({ code: 'LOG_FORK' });
  });

  test.each(['API key is revoked', 'own key is stopped'])(
    'a log anew whose id a verifier claimed, once its %s',
    async (how) => {
      const { mesh, tree } = await started();
      const chain = new TestVerifier('v-1');
      chain.log({});
      const v = new TreeVerifier(11, chain.logId);
      const role = how === 'API key is revoked' ? 'operator' : 'verifier';
      const thief = new TreeVerifier(14, chain.logId).enroll(mesh, role);
      expect((await ask(mesh, thief.asks(new TestTree(...leavesOf(9, 'x'))), role)).status).toBe(200);
      expect(await ask(mesh, v.asks(tree))).toMatchObject({ status: 403, details: { verifier: thief.publicKey } });
      if (role === 'operator') await mesh.store.keys.revoke(mesh.keys.operator.keyId, mesh.clock.now);
      else {
        // Both have one API key: that the log is shipped does not say whose it is.
        await mesh.ask('POST', '/v1/logs', role, chain.shipment());
        expect((await ask(mesh, v.asks(tree))).status).toBe(403);
        await mesh.command('revoke', { agent_id: thief.publicKey });
      }
      expect((await ask(mesh, v.asks(tree))).status).toBe(200);
      expect((await ask(mesh, v.asks(tree.add('more'), 7))).status).toBe(200);
    },
  );

  test('no other history of a log that was shipped, though the API key was revoked and the verifier is another', async () => {
    const { mesh, tree } = await started();
    const chain = new TestVerifier('v-1');
    chain.log({});
    await mesh.ask('POST', '/v1/logs', 'operator', chain.shipment());
    const before = new TreeVerifier(14, chain.logId).enroll(mesh, 'operator');
    expect((await ask(mesh, before.asks(tree, 0, 5), 'operator')).status).toBe(200);
    await mesh.store.keys.revoke(mesh.keys.operator.keyId, mesh.clock.now);
    const v = new TreeVerifier(11, chain.logId);
    expect(await ask(mesh, v.asks(new TestTree(...leavesOf(9, 'x'))))).toMatchObject({ status: 409 });
    expect((await ask(mesh, v.asks(tree, 5))).status).toBe(200);
  });

  test('two logs of one verifier, each by itself', async () => {
    const { mesh, tree } = await started();
    const other = new TreeVerifier(11, 'c3'.repeat(16));
    expect((await ask(mesh, new TreeVerifier(11).asks(tree))).status).toBe(200);
    expect((await ask(mesh, other.asks(new TestTree('x')))).status).toBe(200);
    expect(await last(mesh, other.logId)).toContain('\n1\n');
  });
});

describe('the mesh does not cosign', () => {
  const rewritten = new TestTree(...leavesOf(3), 'another', ...leavesOf(9, 'later'));
  test.each([
    ['a tree of the same size with another leaf', rewritten, 7, 7],
    ['a longer tree that was written anew', rewritten, 7, 12],
    ['a tree that was forked before its first entry', new TestTree(...leavesOf(9, 'x')), 7, 9],
  ])('%s, and that is counted', async (_, tree, old, size) => {
    const { mesh, v, tree: first } = await started();
    await ask(mesh, v.asks(first));
    const refused = await ask(mesh, v.asks(tree, old, size));
    expect(refused).toMatchObject({ status: 409, code: 'LOG_FORK', details: { kind: 'fork', size: 7 } });
    expect([await refusals(mesh, 'fork'), await refusals(mesh, 'older')]).toEqual(['1', '0']);
    // What it saw stands, and the log goes on from there.
    expect((await ask(mesh, v.asks(first.add('more'), 7))).status).toBe(200);
  });

  test('a log whose end was cut off, and that is counted apart', async () => {
    const { mesh, v, tree } = await started();
    await ask(mesh, v.asks(tree));
    for (const old of [0, 3, 6])
      expect(await ask(mesh, v.asks(tree, old, 6))).toMatchObject({
        code: 'LOG_FORK',
        details: { kind: 'older', size: 7 },
      });
    expect([await refusals(mesh, 'fork'), await refusals(mesh, 'older')]).toEqual(['0', '3']);
    expect(await last(mesh, v.logId)).toContain('\n7\n');
  });

  test.each([
    ['no hash', (proof: string[]) => proof.slice(0, 0)],
    ['a hash less', (proof: string[]) => proof.slice(1)],
    ['a hash more', (proof: string[]) => [...proof, proof[0]!]],
    ['another order', (proof: string[]) => proof.toReversed()],
    ['another hash', (proof: string[]) => [Buffer.alloc(32, 1).toString('base64'), ...proof.slice(1)]],
  ])('a later tree whose proof has %s', async (_, change) => {
    const { mesh, v, tree } = await started();
    await ask(mesh, v.asks(tree, 0, 3));
    const asked = v.asks(tree, 3);
    expect(await ask(mesh, { ...asked, proof: change(asked['proof'] as string[]) })).toMatchObject({
      code: 'LOG_FORK',
    });
    expect((await ask(mesh, asked)).status).toBe(200);
  });

  test('a proof that begins elsewhere than where it saw the log, and names the place', async () => {
    const { mesh, v, tree } = await started();
    expect(await ask(mesh, v.asks(tree, 3))).toMatchObject({ code: 'VERSION_CONFLICT', details: { size: 0 } });
    await ask(mesh, v.asks(tree, 0, 5));
    for (const old of [0, 4, 6, 7])
      expect(await ask(mesh, v.asks(tree, old))).toMatchObject({ code: 'VERSION_CONFLICT', details: { size: 5 } });
    expect(await refusals(mesh, 'fork')).toBe('0');
  });

  test('twice where two come at once: one is kept, and the other learns of it', async () => {
    const { mesh, v, tree } = await started();
    await ask(mesh, v.asks(tree, 0, 2));
    const other = new TestTree(...leavesOf(2), 'another history');
    const both = await Promise.all([ask(mesh, v.asks(tree, 2)), ask(mesh, v.asks(other, 2))]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('what a verifier signed that is not on the roster, or is there under another API key', async () => {
    const { mesh, tree } = await started();
    expect(await ask(mesh, new TreeVerifier(12).asks(tree))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const elsewhere = new TreeVerifier(13, 'c3'.repeat(16)).enroll(mesh, 'operator');
    expect(await ask(mesh, elsewhere.asks(tree))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect((await ask(mesh, elsewhere.asks(tree), 'operator')).status).toBe(200);
    expect((await ask(mesh, elsewhere.asks(tree), 'observer')).status).toBe(403);
  });

  test('what a verifier signed whose key is stopped', async () => {
    const { mesh, v, tree } = await started();
    expect((await mesh.command('revoke', { agent_id: v.publicKey })).status).toBe(200);
    expect(await ask(mesh, v.asks(tree))).toMatchObject({ status: 403, code: 'KEY_DENIED' });
  });

  test('the log of another verifier, until that one is off the roster, and never another history of it', async () => {
    const { mesh, v, tree } = await started();
    await ask(mesh, v.asks(tree, 0, 5));
    const thief = new TreeVerifier(14).enroll(mesh);
    expect(await ask(mesh, thief.asks(tree, 5))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    await mesh.server.roster.forget(v.publicKey);
    const forked = new TestTree(...leavesOf(9, 'x'));
    expect(await ask(mesh, thief.asks(forked, 5))).toMatchObject({ code: 'LOG_FORK' });
    expect((await ask(mesh, thief.asks(tree, 5))).status).toBe(200);
  });

  test('a log that is shipped with another API key', async () => {
    const { mesh, tree } = await started();
    const chain = new TestVerifier('v-1');
    chain.log({});
    await mesh.ask('POST', '/v1/logs', 'operator', chain.shipment());
    const v = new TreeVerifier(11, chain.logId);
    expect(await ask(mesh, v.asks(tree))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    await mesh.store.keys.revoke(mesh.keys.operator.keyId, mesh.clock.now);
    expect((await ask(mesh, v.asks(tree))).status).toBe(200);
  });

  const v = new TreeVerifier(11);
  const tree = new TestTree(...leavesOf(7));
  const good = v.checkpoint(tree);
  test.each([
    ['a root that was changed', 'SIGNATURE_INVALID', good.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${'A'.repeat(43)}=\n`)],
    ['a size that was changed', 'SIGNATURE_INVALID', good.replace('\n7\n', '\n8\n')],
    ['the origin of another log', 'SIGNATURE_INVALID', good.replaceAll(v.logId, 'c3'.repeat(16))],
    ['the signature of another verifier', 'SIGNATURE_INVALID', new TreeVerifier(12).checkpoint(tree)],
    ['a line under another name', 'SIGNATURE_INVALID', good.replace('\u2014 aip.log/', '\u2014 aip.lag/')],
    ['another origin than a log of ours', 'BAD_REQUEST', v.signed(`example.com/log\n7\n${'A'.repeat(43)}=\n`)],
    ['an origin with no log id', 'BAD_REQUEST', v.signed(`aip.log/x\n7\n${'A'.repeat(43)}=\n`)],
    ['a line of extension', 'BAD_REQUEST', v.signed(`${good.split('\n\n')[0]!}\nmore\n`)],
    ['a tree without entries', 'BAD_REQUEST', v.checkpoint(tree, 0)],
    ['no signature', 'BAD_REQUEST', `${good.split('\n\n')[0]!}\n\n`],
    ['two signatures', 'BAD_REQUEST', good + good.split('\n\n')[1]!],
    ['a root in another spelling', 'BAD_REQUEST', v.signed(`aip.log/${v.logId}\n7\n${'A'.repeat(42)}B=\n`)],
    ['more text than a checkpoint has', 'BAD_REQUEST', v.signed(`aip.log/${v.logId}\n7\n${'A'.repeat(2000)}=\n`)],
    ['nothing', 'BAD_REQUEST', ''],
    ['no text', 'BAD_REQUEST', 7],
  ])('a checkpoint with %s: %s', async (_, code, checkpoint) => {
    const { mesh } = await started();
    expect(await ask(mesh, { ...v.asks(tree), checkpoint })).toMatchObject({ code });
    expect(await mesh.store.papers.list('log-tree', -1)).toEqual([]);
  });

  test.each([
    ['a key that is none', { public_key: 'ed25519:00' }],
    ['a key of small order', { public_key: `ed25519:01${'00'.repeat(31)}` }],
    ['no key', { public_key: null }],
    ['an old size that is none', { old: -1 }],
    ['an old size of half an entry', { old: 0.5 }],
    ['an old size beyond the tree', { old: 8 }],
    ['a proof from nothing', { proof: [Buffer.alloc(32).toString('base64')] }],
    ['a proof that is text', { proof: '' }],
    ['a proof with something else', { proof: [7] }],
    ['a hash that is too short', { proof: ['AAAA'] }],
    ['a hash in another spelling', { proof: [`${'A'.repeat(42)}B=`] }],
    ['a proof without end', { proof: Array.from({ length: 97 }, () => Buffer.alloc(32).toString('base64')) }],
    ['a member more', { time: 7 }],
  ])('a request with %s', async (_, change) => {
    const { mesh } = await started();
    expect([400, 403]).toContain((await ask(mesh, { ...v.asks(tree), ...change })).status);
    expect(await mesh.store.papers.list('log-tree', -1)).toEqual([]);
  });

  test('when it is asked more than it can sign', async () => {
    const { mesh, v: one, tree: grown } = await started();
    expect((await ask(mesh, one.asks(grown))).status).toBe(200);
    mesh.server.shipping.takes(mesh.keys.verifier.keyId, 32 * 1024 * 1024 - 2 * 16 * 1024, mesh.clock.up());
    expect((await ask(mesh, one.asks(grown, 7))).status).toBe(200);
    expect(await ask(mesh, one.asks(grown, 7))).toMatchObject({ status: 503, code: 'BUSY' });
    expect((await mesh.ask('GET', `/v1/logs/tree?log=${one.logId}`, 'verifier')).status).toBe(503);
    mesh.clock.advance(60_000);
    expect((await ask(mesh, one.asks(grown, 7))).status).toBe(200);
  });

  test('more logs of one API key than it may have, and other keys have their own', async () => {
    const { mesh, v: one, tree: grown } = await started();
    const text = JSON.stringify({
      key_id: mesh.keys.verifier.keyId,
      public_key: one.publicKey,
      checkpoint: one.checkpoint(grown),
    });
    for (let i = 0; i < 10_000; i++) {
      const id = i.toString(16).padStart(32, '0');
      await mesh.store.papers.put('log-tree', { id, version: 1, changedAt: mesh.clock.now, keepUntil: Infinity, text });
    }
    expect(await ask(mesh, one.asks(grown))).toMatchObject({ status: 503, code: 'BUSY' });
    const other = new TreeVerifier(13, 'c3'.repeat(16)).enroll(mesh, 'operator');
    expect((await ask(mesh, other.asks(grown), 'operator')).status).toBe(200);
  });

  test('while it is sealed: the mesh has gone on elsewhere', async () => {
    const { mesh, v: one, tree: grown } = await started();
    await mesh.store.seal(5);
    const sealed = await TestMesh.start({ store: mesh.store });
    one.enroll(sealed);
    expect(await ask(sealed, one.asks(grown))).toMatchObject({ status: 503, code: 'MESH_SEALED' });
  });

  test('at a region: home alone knows what was seen, and is asked through it', () => {
    const rows = ENDPOINTS.filter(({ path }) => path === '/v1/logs/tree');
    expect(rows.map(({ method, answeredBy }) => [method, answeredBy])).toEqual([
      ['POST', 'home'],
      ['GET', 'home'],
    ]);
  });

  test('for who names no log, and an observer is not answered', async () => {
    const { mesh, v: one } = await started();
    expect((await mesh.ask('GET', '/v1/logs/tree', 'verifier')).status).toBe(400);
    expect((await mesh.ask('GET', '/v1/logs/tree?log=x', 'verifier')).status).toBe(400);
    expect((await mesh.ask('GET', `/v1/logs/tree?log=${one.logId}`, 'observer')).status).toBe(403);
  });

  test('and a cosignature is no signature of an event or a checkpoint of the mesh', async () => {
    const { mesh, v: one, tree: grown } = await started();
    const { checkpoint } = await ask(mesh, one.asks(grown));
    const line = readNote(checkpoint!).signatures[1]!;
    expect(check(readNote(checkpoint!).text, Buffer.from(line.signature.subarray(8)).toString('hex'))).toBe(false);
  });
});
