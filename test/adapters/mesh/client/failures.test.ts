/** What goes wrong between a mesh and its clients, on real sockets: nothing that was denied is ever allowed by it. */
import { RING_BYTES } from '../../../../src/mesh/limits.js';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { MeshFollow } from '../../../../src/adapters/mesh/client/follow.js';
import { signerOf } from '../../../../src/adapters/mesh/mesh-key.js';
import { commandDigest } from '../../../../src/mesh/command.js';
import { parseEvent, sealEvent, type EventFields, type EventType } from '../../../../src/mesh/log/event.js';
import { signRequest } from '../../../../src/mesh/access/http-signature.js';
import { judgeWith } from '../../../../src/mesh/ruling.js';
import { frame } from '../../../../src/protocol/framing/sse.js';
import type { Standing } from '../../../../src/mesh/standing.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { MESH_SEED } from '../../../kit/mesh/keys.js';
import { network, until, type NetworkMesh } from '../../../kit/mesh/network.js';
import { AGENT } from '../../../kit/mesh/server.js';

type Options = Parameters<typeof network>[0];

async function using(
  work: (net: NetworkMesh, proxy: FaultProxy) => Promise<void>,
  options: Options = {},
): Promise<void> {
  const net = await network(options);
  const proxy = await FaultProxy.start(net.listening.port);
  try {
    await work(net, proxy);
  } finally {
    await proxy.close();
    await net.close();
  }
}

const agent = (n: number) => `did:web:acme.com:agents:a${n}`;
const { sign } = signerOf(MESH_SEED);

/** Writes `n` revocations straight into the store, as another server on it would. */
async function write(net: NetworkMesh, n: number, reason = 'r'): Promise<void> {
  const { store } = net.mesh;
  const judge = judgeWith(Date.now(), sign);
  for (let i = 0; i < n; i += 256) {
    const batch = Array.from({ length: Math.min(256, n - i) }, (_, j) => {
      const fields = { action: 'revoke', reason, by: null, durationMs: null, version: null, logId: null } as const;
      const command = {
        ...fields,
        expiresAt: null,
        cmdId: randomBytes(8).toString('hex'),
        subject: agent((i + j) % 97),
      };
      return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
    });
    await store.append(batch, judge);
  }
}

/** The client's copy is the fold of the log, all of it. */
async function expectWhole(net: NetworkMesh, follow: MeshFollow): Promise<void> {
  const { seq } = await net.mesh.store.head();
  await until(() => follow.follower.copy.position?.seq === seq && follow.state === 'live', 'all applied, live', 20_000);
  const { standings } = await net.mesh.store.snapshot();
  const held = new Map([...follow.follower.copy.standings()].map((each) => [each.subject, each]));
  expect(held).toEqual(new Map(standings.map((each) => [each.subject, each])));
}

async function live(follow: MeshFollow): Promise<void> {
  follow.start();
  await until(() => follow.state === 'live', 'live', 20_000);
}

describe('a client that was away', () => {
  test.each([1, 40, 900])('for %i events resumes by id, without a snapshot', (k) =>
    using(async (net, proxy) => {
      const wholes: boolean[] = [];
      const alarms: string[] = [];
      const follow = net.follow({
        endpoints: [proxy.url],
        onChange: (_, whole) => wholes.push(whole),
        onAlarm: (kind) => alarms.push(kind),
      });
      await live(follow);
      proxy.faults.blackHole = true;
      proxy.cutAll();
      await write(net, k);
      proxy.faults.blackHole = false;
      proxy.cutAll();
      await expectWhole(net, follow);
      expect([wholes.filter(Boolean).length, alarms]).toEqual([1, []]);
    }),
  );

  test('for longer than events are kept starts from a snapshot, and forgets no deny', () =>
    using(
      async (net, proxy) => {
        const wholes: boolean[] = [];
        const alarms: string[] = [];
        const follow = net.follow({
          endpoints: [proxy.url],
          onChange: (_, whole) => wholes.push(whole),
          onAlarm: (kind) => alarms.push(kind),
        });
        await net.revoke(AGENT);
        await net.revoke('did:web:other.org');
        await live(follow);
        proxy.faults.blackHole = true;
        proxy.cutAll();
        await net.post('admin', '/mesh/reinstate', { agent_id: 'did:web:other.org' });
        await write(net, 60);
        proxy.faults.blackHole = false;
        proxy.cutAll();
        await expectWhole(net, follow);
        expect(follow.check(AGENT).status).toBe('revoked');
        expect(follow.check('did:web:other.org:agents:x').status).toBe('active');
        expect([wholes.filter(Boolean).length, alarms]).toEqual([2, []]);
      },
      { retainedEvents: 20 },
    ));

  test(
    'with 1,999 others: all come back at once, and all have what happened meanwhile',
    async () =>
      using(async (net) => {
        // They were here before: each has a copy as of the first event.
        await net.revoke(agent(1));
        const position = await net.mesh.store.head();
        const { standings } = await net.mesh.store.snapshot();
        const follows = Array.from({ length: 2_000 }, () => net.follow({ verifier: null }));
        for (const follow of follows) follow.follower.copy.restore(position, standings, []);
        for (const [i, follow] of follows.entries()) {
          follow.start();
          // The first time they come one after another; it is the second time that counts.
          if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
        }
        await until(() => follows.every((follow) => follow.state === 'live'), 'all live', 90_000);
        net.mesh.server.hub.cutAll();
        await net.revoke(AGENT);
        await until(() => follows.every((follow) => follow.check(AGENT).status === 'revoked'), 'all know', 90_000);
        await until(() => follows.every((follow) => follow.state === 'live'), 'all live again', 90_000);
        for (const follow of follows) follow.stop();
      }),
    300_000,
  );
});

describe('frames that were tampered with', () => {
  const event = (text: string) => text.includes('event: event\n');
  /** A genuine event that the mesh never wrote. */
  function signed(type: string, seq: number, logId: string): string {
    const head = { logId, term: 1, seq: seq - 1, hash: 'c'.repeat(64) };
    const fields: EventFields = {
      ...{
        type: type as EventType,
        agent_id: AGENT,
        reason: 'r',
        revoked_by: null,
        scope: 'agent',
        suspended_until: null,
      },
      ...{ version: 9, cmd_id: 'never-given', operator: { key_id: 'k', signed: null } },
    };
    return sealEvent(head, 1, fields, '2026-02-18T14:23:45.000Z', sign)!.text;
  }

  test.each([
    ['doubled', (frames: readonly string[]) => frames.flatMap((each) => [each, each])],
    ['reversed', (frames: readonly string[]) => [...frames].reverse()],
    [
      'missing, every second event',
      (frames: readonly string[]) => frames.filter((each, i) => !event(each) || i % 2 === 0),
    ],
    ['missing, all events', (frames: readonly string[]) => frames.filter((each) => !event(each))],
  ])('%s: the copy is the log in the end, and no deny is lost on the way', async (_, mangle) =>
    using(async (net, proxy) => {
      const alarms = new Set<string>();
      const follow = net.follow({ endpoints: [proxy.url], onAlarm: (kind) => alarms.add(kind), verifier: null });
      await net.revoke(AGENT);
      await live(follow);
      proxy.faults.mangle = mangle;
      proxy.cutAll();
      let allowed = 0;
      for (let i = 0; i < 30; i++) {
        await write(net, 5);
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (follow.check(AGENT).status !== 'revoked') allowed++;
      }
      proxy.faults.mangle = null;
      proxy.cutAll();
      await expectWhole(net, follow);
      expect([allowed, [...alarms].filter((kind) => kind !== 'gap')]).toEqual([0, []]);
    }),
  );

  test.each([
    ['is not JSON', () => frame('event', null, '{"v":1,'), 'malformed'],
    ['has a member too many', () => frame('event', null, '{"v":1,"surprise":2}'), 'malformed'],
    [
      'is larger than an event may be',
      () => frame('event', null, JSON.stringify({ v: 1, reason: 'x'.repeat(5_000) })),
      'malformed',
    ],
    [
      'is of a later version',
      () => frame('event', null, signed('revocation', 2, 'a1'.repeat(16)).replace('"v":1', '"v":2')),
      'malformed',
    ],
    [
      'reinstates and is not signed',
      () =>
        frame(
          'event',
          null,
          signed('reinstatement', 2, 'a1'.repeat(16)).replace(
            /"signature":"[0-9a-f]+"/,
            `"signature":"${'0'.repeat(128)}"`,
          ),
        ),
      'forged',
    ],
    [
      'reinstates and was changed after signing',
      () => frame('event', null, signed('revocation', 2, 'a1'.repeat(16)).replace('"revocation"', '"reinstatement"')),
      'forged',
    ],
    [
      'reinstates by a history that this mesh never told',
      () => frame('event', null, signed('reinstatement', 2, 'a1'.repeat(16))),
      'fork',
    ],
    [
      'reinstates by the log of another mesh',
      () => frame('event', null, signed('reinstatement', 2, 'b2'.repeat(16))),
      'fork',
    ],
    ['reinstates before its turn', () => frame('event', null, signed('reinstatement', 50, 'a1'.repeat(16))), 'gap'],
  ])('an event that %s is not applied; the client says so, and goes on', async (_, make, alarm) =>
    using(async (net, proxy) => {
      const alarms = new Set<string>();
      const follow = net.follow({ endpoints: [proxy.url], onAlarm: (kind) => alarms.add(kind), verifier: null });
      await net.revoke(AGENT);
      await live(follow);
      let injected = false;
      proxy.faults.mangle = (frames) => {
        if (injected || !frames.some((each) => each.startsWith('event: hello'))) return frames;
        injected = true;
        return [...frames, make()];
      };
      proxy.cutAll();
      await until(() => alarms.has(alarm), `the alarm ${alarm}`, 15_000);
      expect(follow.check(AGENT).status).toBe('revoked');
      await net.revoke(agent(1));
      await expectWhole(net, follow);
      expect(follow.check(AGENT).status).toBe('revoked');
    }),
  );

  test('a line without end costs the connection, not the memory', () =>
    using(async (net, proxy) => {
      const reasons: string[] = [];
      const follow = net.follow({
        endpoints: [proxy.url],
        onWaiting: (reason) => reasons.push(reason),
        verifier: null,
      });
      await live(follow);
      let injected = false;
      proxy.faults.mangle = (frames) => {
        if (injected) return frames;
        injected = true;
        return [...frames, 'data: ', 'x'.repeat(1 << 20)];
      };
      proxy.cutAll();
      await until(() => reasons.some((reason) => /too (long|large)/.test(reason)), 'given up', 15_000);
      await net.revoke(AGENT);
      await expectWhole(net, follow);
    }));

  test('an unknown kind of event of this mesh denies; unknown frames and comments change nothing', () =>
    using(async (net, proxy) => {
      const follow = net.follow({ endpoints: [proxy.url], verifier: null });
      await live(follow);
      proxy.faults.mangle = (frames) => [
        ...frames.flatMap((each) => [': noise\n\n', frame('surprise', null, '{}'), each]),
        ...(frames.some((each) => each.startsWith('event: hello'))
          ? [frame('event', null, signed('quarantine', 40, 'a1'.repeat(16)))]
          : []),
      ];
      proxy.cutAll();
      await until(() => follow.check(AGENT).status === 'revoked', 'denied', 15_000);
      proxy.faults.mangle = null;
    }));
});

describe('readers and keys', () => {
  /** Opens a stream and reads nothing of it until told to. */
  function stream(net: NetworkMesh, key: string, paused: boolean) {
    const socket = connect(net.listening.port, '127.0.0.1', () => {
      socket.write(`GET /v1/mesh/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
    });
    const state = { bytes: 0, closed: false, socket };
    socket.on('data', (bytes) => (state.bytes += bytes.length));
    if (paused) socket.pause();
    socket.on('close', () => (state.closed = true));
    socket.on('error', () => {});
    return state;
  }

  test('a reader that takes nothing holds nobody up, and is cut after ten seconds', async () => {
    let skew = 0;
    const clock = { wall: Date.now, up: () => performance.now() + skew };
    await using(
      async (net) => {
        const key = net.mesh.keys.verifier.text;
        const follow = net.follow({ verifier: null });
        await live(follow);
        const slow = stream(net, key, true);
        const quick = stream(net, key, false);
        await until(() => net.mesh.server.hub.size === 3, 'all open');
        const before = process.memoryUsage().arrayBuffers;
        await write(net, 6_000, '\u20AC'.repeat(500));
        await expectWhole(net, follow);
        await until(() => quick.bytes > 6_000 * 1_500, 'the quick reader has it all', 20_000);
        // One reader that lags costs what the system's buffers hold, not a copy of the log; a ring of frames a form of stream is held anyway.
        const blocked = [...net.mesh.server.hub.streams()].filter((each) => each.blockedAt !== null);
        expect(blocked).toHaveLength(1);
        expect(blocked[0]!.cursor).toBeLessThan(6_000);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024 + 3 * RING_BYTES);
        skew = 11_000;
        await until(() => net.mesh.server.hub.slowCut === 1, 'cut');
        slow.socket.resume();
        await until(() => slow.closed, 'closed');
        expect([quick.closed, follow.check(agent(1)).status]).toEqual([false, 'revoked']);
        quick.socket.destroy();
      },
      { clock },
    );
  });

  test.each([
    ['through the mesh', false],
    ['by another server on the same store', true],
  ])('a leaked key that is revoked %s loses its stream within a second, and cannot come back', async (_, elsewhere) =>
    using(async (net) => {
      const { text, keyId } = net.mesh.keys.verifier;
      const leaked = stream(net, text, false);
      const other = stream(net, net.mesh.keys.observer.text, false);
      await until(() => net.mesh.server.hub.size === 2 && leaked.bytes > 0, 'open');
      const at = performance.now();
      if (elsewhere) await net.mesh.store.keys.revoke(keyId, Date.now());
      else {
        const call = {
          method: 'DELETE',
          target: `/v1/mesh/keys/${keyId}`,
          timeoutMs: 5_000,
          maxBytes: 65_536,
        } as const;
        expect((await net.http('admin').ask(call)).status).toBe(200);
      }
      await until(() => leaked.closed, 'closed', 5_000);
      expect(performance.now() - at).toBeLessThan(elsewhere ? 2_000 : 1_000);
      expect([other.closed, net.mesh.server.hub.size]).toEqual([false, 1]);
      const asked = { method: 'GET', target: '/v1/mesh/status', timeoutMs: 5_000, maxBytes: 65_536 } as const;
      expect((await net.http('verifier').ask(asked)).status).toBe(401);
      other.socket.destroy();
    }),
  );
});

describe('commands', () => {
  const operator = signerOf(new Uint8Array(32).fill(9));
  const target = '/v1/mesh/commands';
  const bodyOf = (fields: object = {}) =>
    Buffer.from(
      JSON.stringify({
        cmd_id: `cmd-${randomBytes(6).toString('hex')}`,
        action: 'revoke',
        agent_id: AGENT,
        reason: 'r',
        ...fields,
      }),
    );
  function headersOf(body: Uint8Array, created = Math.floor(Date.now() / 1000), signer = operator) {
    const params = { created, nonce: randomBytes(16).toString('hex'), keyId: operator.publicKey };
    return signRequest({ method: 'POST', path: target, body }, params, async (text) => signer.sign(text));
  }
  async function send(
    net: NetworkMesh,
    body: Uint8Array,
    headers: object,
    role: 'operator' | 'verifier' | 'admin' = 'operator',
  ) {
    const call = { method: 'POST', target, body, timeoutMs: 5_000, maxBytes: 65_536 } as const;
    const answer = await net.http(role).ask({ ...call, headers: headers as Record<string, string> });
    return [answer.status, (JSON.parse(answer.body) as { code?: string }).code];
  }
  const strict: Options = { requireSignedCommands: true, operatorKey: operator.publicKey };

  test("the operator's own are carried out, once each", () =>
    using(async (net) => {
      const body = bodyOf();
      const headers = await headersOf(body);
      expect(await send(net, body, headers)).toEqual([200, undefined]);
      expect(await send(net, body, headers)).toEqual([409, 'COMMAND_REPLAYED']);
      // Signed anew the same command gets its first answer, and no second event.
      expect(await send(net, body, await headersOf(body))).toEqual([200, undefined]);
      expect(await net.mesh.store.read(0, 10)).toHaveLength(1);
    }, strict));

  type Made = { body?: Buffer; headers: object; role?: 'verifier' };
  test.each<[string, (body: Buffer) => Made | Promise<Made>, number, string]>([
    ['unsigned', () => ({ headers: {} }), 403, 'SIGNATURE_REQUIRED'],
    [
      'of a stolen key with a signature of its own',
      async (body) => ({ headers: await headersOf(body, undefined, signerOf(new Uint8Array(32).fill(8))) }),
      403,
      'SIGNATURE_INVALID',
    ],
    [
      'changed after signing',
      async (body) => ({ body: bodyOf({ agent_id: '*' }), headers: await headersOf(body) }),
      403,
      'SIGNATURE_INVALID',
    ],
    [
      'whose digest was fitted to another body',
      async (body) => {
        const other = bodyOf({ agent_id: '*' });
        return {
          body: other,
          headers: { ...(await headersOf(body)), 'content-digest': (await headersOf(other))['content-digest'] },
        };
      },
      403,
      'SIGNATURE_INVALID',
    ],
    [
      'signed six minutes ago',
      async (body) => ({ headers: await headersOf(body, Math.floor(Date.now() / 1000) - 360) }),
      409,
      'COMMAND_EXPIRED',
    ],
    [
      'signed in the future',
      async (body) => ({ headers: await headersOf(body, Math.floor(Date.now() / 1000) + 90) }),
      409,
      'COMMAND_EXPIRED',
    ],
    [
      'without the signature that its parameters announce',
      async (body) => ({ headers: { ...(await headersOf(body)), signature: '' } }),
      403,
      'SIGNATURE_INVALID',
    ],
    ['of a key that may not', async (body) => ({ headers: await headersOf(body), role: 'verifier' }), 403, 'FORBIDDEN'],
  ])('%s are refused and leave no event', async (_, make, status, code) =>
    using(async (net) => {
      const original = bodyOf();
      const { body = original, headers, role } = await make(original);
      expect(await send(net, body, headers, role)).toEqual([status, code]);
      expect(await net.mesh.store.read(0, 10)).toHaveLength(0);
    }, strict),
  );

  test('a signed reinstatement cannot be undone by playing the revocation again', () =>
    using(async (net) => {
      const revoke = bodyOf();
      const headers = await headersOf(revoke);
      expect((await send(net, revoke, headers))[0]).toBe(200);
      const undo = bodyOf({ action: 'reinstate', version: 1, reason: 'checked' });
      expect(await send(net, undo, await headersOf(undo), 'admin')).toEqual([200, undefined]);
      expect(await send(net, revoke, headers)).toEqual([409, 'COMMAND_REPLAYED']);
      expect((await net.mesh.store.standing(AGENT))?.status).toBe('active');
    }, strict));

  test('revoked and reinstated at the same time: a reinstatement undoes only what its operator saw', () =>
    using(async (net) => {
      const follow = net.follow({ verifier: null });
      await live(follow);
      for (let round = 0; round < 40; round++) {
        const version = (await net.mesh.store.standing(AGENT))?.version ?? 0;
        const orders = [
          { action: 'revoke', reason: 'r' },
          { action: 'reinstate', reason: 'r', version },
          { action: 'suspend', reason: 'r', duration_seconds: 60 },
          { action: 'reinstate', reason: 'r', version: version + 1 },
        ];
        const cmd = () => `cmd-${randomBytes(6).toString('hex')}`;
        const answers = await Promise.all(
          orders.map((order) => net.post('admin', target, { cmd_id: cmd(), agent_id: AGENT, ...order })),
        );
        expect([answers[0]!.status, answers[2]!.status]).toEqual([200, 200]);
        for (const { status, json } of [answers[1]!, answers[3]!]) {
          if (status === 409) expect(json.code).toBe('VERSION_CONFLICT');
          else expect([status, json.status]).toEqual([200, 'active']);
        }
      }
      const records = await net.mesh.store.read(0, 1_000);
      const events = records.map((record) => parseEvent(record.text));
      events.forEach((event, i) => expect([event.seq, event.version]).toEqual([i + 1, i + 1]));
      const last = events[events.length - 1]!;
      expect((await net.mesh.store.standing(AGENT))?.status === 'active').toBe(last.type === 'reinstatement');
      await expectWhole(net, follow);
    }));
});

describe("the server's clock", () => {
  test.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('an hour %s: who was revoked stays revoked, and the stream stays fresh', async (_, jump) => {
    let skew = 0;
    const clock = { wall: () => Date.now() + skew, up: () => performance.now() };
    await using(
      async (net) => {
        const follow = net.follow({ maxAgeMs: 10_000 });
        await live(follow);
        await net.revoke(AGENT);
        const target = '/v1/mesh/commands';
        const order = {
          cmd_id: 'suspend-it',
          action: 'suspend',
          agent_id: agent(1),
          duration_seconds: 600,
          reason: 'r',
        };
        await net.post('admin', target, order);
        skew = jump;
        await net.revoke(agent(2));
        const proofs = net.mesh.server.clock.up();
        await until(() => net.mesh.server.clock.up() - proofs > 4_500, 'two heartbeats');
        expect(follow.state).toBe('live');
        const found = [AGENT, agent(1), agent(2)].map((each) => follow.check(each).status);
        expect(found).toEqual(['revoked', 'suspended', 'revoked']);
        const held = (await net.mesh.store.snapshot()).standings.map((each: Standing) => each.status).sort();
        expect(held).toEqual(['revoked', 'revoked', 'suspended']);
      },
      { clock },
    );
  });
});
