import { describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/mesh/log/checkpoint.js';
import { parseEvent } from '../../src/mesh/log/event.js';
import { signatureHolds } from '../../src/mesh/log/signing.js';
import { readSnapshot } from '../../src/mesh/log/snapshot.js';
import type { JsonObject } from '../../src/protocol/json/values.js';
import { check, LOG_ID, settle, TestMesh, type Reader } from '../kit/mesh/server.js';

function seqs(reader: Reader): number[] {
  return reader.of('event').map((frame) => parseEvent(frame.data).seq);
}

async function revocations(mesh: TestMesh, n: number): Promise<void> {
  for (let i = 0; i < n; i++) await mesh.command('revoke', { agent_id: `did:web:acme.com:agents:a${i % 7}` });
  await settle();
}

describe('the native stream', () => {
  test('without a place it begins with a signed greeting and goes on live', async () => {
    const mesh = await TestMesh.start();
    await revocations(mesh, 3);
    const reader = await mesh.stream('/v1/mesh/stream');
    await revocations(mesh, 2);
    expect(seqs(reader)).toEqual([4, 5]);
    const hello = JSON.parse(reader.of('hello')[0]!.data) as { checkpoint: object };
    expect(signatureHolds(hello.checkpoint as JsonObject, check)).toBe(true);
    expect(hello.checkpoint).toMatchObject({ log_id: LOG_ID, head: 3 });
  });

  test('it resumes after Last-Event-ID, after ?after=, and after a bare seq', async () => {
    const mesh = await TestMesh.start();
    await revocations(mesh, 5);
    const byHeader = await mesh.stream('/v1/mesh/stream', { 'last-event-id': `${LOG_ID}.1.3` });
    const byQuery = await mesh.stream(`/v1/mesh/stream?after=${LOG_ID}.1.3`);
    const bare = await mesh.stream('/v1/mesh/stream?after=0');
    expect([seqs(byHeader), seqs(byQuery), seqs(bare)]).toEqual([
      [4, 5],
      [4, 5],
      [1, 2, 3, 4, 5],
    ]);
    expect(byHeader.of('event')[0]!.id).toBe(`${LOG_ID}.1.4`);
  });

  test.each([
    ['another log', `${'b'.repeat(32)}.1.2`, 'other-log'],
    ['another history', `${LOG_ID}.9.2`, 'other-history'],
    ['a place ahead of the log', `${LOG_ID}.1.99`, 'ahead'],
    ['a place longer gone than what is kept', `${LOG_ID}.1.1`, 'gone'],
  ])('%s is answered with a reset that names the snapshot', async (_, id, reason) => {
    const mesh = await TestMesh.start({ retainedEvents: 3 });
    await revocations(mesh, 5);
    const reader = await mesh.stream('/v1/mesh/stream?verifier=v1', { 'last-event-id': id });
    expect(JSON.parse(reader.of('reset')[0]!.data)).toEqual({ reason, snapshot: '/v1/mesh/snapshot' });
    expect([reader.ended, seqs(reader)]).toEqual([false, []]);
    // Then live events; but a reader that was sent to the snapshot has confirmed nothing.
    const next = await mesh.command('revoke', { agent_id: 'did:web:acme.com:agents:live' });
    await settle();
    expect(seqs(reader)).toEqual([6]);
    expect(next.json()).toMatchObject({ connected: 1, reporting: 0 });
  });

  test('a place that is no place is refused', async () => {
    const mesh = await TestMesh.start();
    expect((await mesh.ask('GET', '/v1/mesh/stream?after=yesterday', 'verifier')).status).toBe(400);
  });

  test('heartbeats come every two seconds, each signed with the head of its moment', async () => {
    const mesh = await TestMesh.start();
    const readers = await Promise.all(Array.from({ length: 30 }, () => mesh.stream('/v1/mesh/stream')));
    await revocations(mesh, 1);
    for (let i = 0; i < 60; i++) {
      mesh.clock.advance(100);
      mesh.server.tick();
      await settle();
    }
    for (const reader of readers) {
      const beats = reader.of('heartbeat').map((frame) => parseCheckpoint(frame.data));
      expect(beats).toHaveLength(3);
      expect(beats.every((beat) => beat.head === 1 && signatureHolds(beat as unknown as JsonObject, check))).toBe(true);
    }
  });

  test('many events at once reach every stream in one write', async () => {
    const mesh = await TestMesh.start();
    const reader = await mesh.stream('/v1/mesh/stream');
    const before = reader.writes;
    await Promise.all(Array.from({ length: 200 }, () => mesh.command('revoke')));
    await settle();
    expect(seqs(reader)).toHaveLength(200);
    expect(reader.writes - before).toBeLessThanOrEqual(2);
  });

  test('when a pass takes long the next one waits as long, takes all that came, and no heartbeat overtakes it', async () => {
    const later: (() => void)[] = [];
    let slow = false;
    const mesh = await TestMesh.start({ soon: (work) => (slow ? later.push(work) : queueMicrotask(work)) });
    const reader = await mesh.stream('/v1/mesh/stream');
    const { write } = reader;
    reader.write = (bytes) => {
      mesh.clock.advance(20);
      return write.call(reader, bytes);
    };
    await revocations(mesh, 1);
    const before = reader.writes;
    const other = await TestMesh.start({ store: mesh.store }, mesh.clock);
    slow = true;
    await revocations(other, 3);
    expect([seqs(reader), mesh.server.hub.head]).toEqual([[1], 4]);
    for (const work of later.splice(0)) work();
    expect(seqs(reader)).toEqual([1]);
    mesh.clock.advance(25);
    for (const work of later.splice(0)) work();
    expect([seqs(reader), reader.writes - before]).toEqual([[1, 2, 3, 4], 1]);
    await revocations(other, 1);
    mesh.clock.advance(2_000);
    mesh.server.tick();
    await settle();
    expect(reader.frames.slice(-2).map((frame) => frame.event)).toEqual(['event', 'heartbeat']);
  });

  test('a slow reader holds nobody up, gets everything once it drains, and is cut after ten seconds', async () => {
    const mesh = await TestMesh.start();
    const [slow, quick] = [await mesh.stream('/v1/mesh/stream'), await mesh.stream('/v1/mesh/stream')];
    slow.takes = false;
    await revocations(mesh, 5);
    expect([seqs(slow), seqs(quick)]).toEqual([[1], [1, 2, 3, 4, 5]]);
    slow.drain();
    expect(seqs(slow)).toEqual([1, 2, 3, 4, 5]);
    slow.takes = false;
    await revocations(mesh, 1);
    mesh.clock.advance(9_900);
    mesh.server.tick();
    expect(slow.cutOff).toBe(false);
    mesh.clock.advance(200);
    mesh.server.tick();
    expect([slow.cutOff, quick.cutOff, mesh.server.hub.size]).toEqual([true, false, 1]);
  });

  test('a reader further back than the ring is served from the store, page by page as it drains', async () => {
    const mesh = await TestMesh.start();
    await Promise.all(Array.from({ length: 700 }, () => mesh.command('revoke')));
    const second = await TestMesh.start({ store: mesh.store }, mesh.clock);
    const reader = await second.stream('/v1/mesh/stream?after=0');
    expect(seqs(reader)).toEqual(Array.from({ length: 700 }, (_, i) => i + 1));
    const third = await TestMesh.start({ store: mesh.store }, mesh.clock);
    const blocked = third.stream('/v1/mesh/stream?after=0');
    const slow = await blocked;
    expect(seqs(slow)).toHaveLength(700);
  });

  test('stopping tells readers to come back spread over time and takes no more', async () => {
    const mesh = await TestMesh.start();
    const reader = await mesh.stream('/v1/mesh/stream');
    mesh.server.stop(5_000);
    expect(reader.of('goodbye')[0]!.data).toBe('{"spread_ms":5000}');
    expect(reader.ended).toBe(true);
    expect((await mesh.ask('GET', '/v1/mesh/status', 'admin')).json().code).toBe('SHUTTING_DOWN');
  });

  test('a stream beyond the limit is refused', async () => {
    const mesh = await TestMesh.start({ maxStreams: 2 });
    await mesh.stream('/v1/mesh/stream');
    await mesh.stream('/v1/mesh/stream');
    expect((await mesh.ask('GET', '/v1/mesh/stream', 'verifier')).json().code).toBe('BUSY');
  });
});

describe('propagation', () => {
  test('a command waits for the verifiers that report, and counts them honestly', async () => {
    const mesh = await TestMesh.start();
    const one = await mesh.stream('/v1/mesh/stream?verifier=one');
    await mesh.stream('/v1/mesh/stream?verifier=two');
    await mesh.stream('/v1/mesh/stream');
    const pending = mesh.ask('POST', '/v1/mesh/commands?wait=1000ms', 'operator', {
      cmd_id: 'cmd-with-wait',
      action: 'revoke',
      agent_id: 'did:web:acme.com:agents:a',
      reason: 'r',
    });
    await settle();
    const stream = (JSON.parse(one.of('hello')[0]!.data) as { stream: string }).stream;
    mesh.clock.advance(12);
    expect((await mesh.ask('POST', '/v1/mesh/acks', 'verifier', { stream, seq: 1 })).json()).toEqual({
      acknowledged: 1,
    });
    mesh.clock.advance(1_000);
    mesh.server.tick();
    const answer = (await pending).json();
    expect(answer).toMatchObject({ connected: 3, reporting: 2, propagated_to: 1, propagation_ms: 12 });
  });

  test.each([
    ['a stream that is not there', { stream: 'nope', seq: 1 }, 404],
    ['no seq', { stream: 'nope' }, 400],
    ['a seq that is none', { stream: 'nope', seq: -1 }, 400],
  ])('a confirmation with %s is refused', async (_, body, status) => {
    const mesh = await TestMesh.start();
    expect((await mesh.ask('POST', '/v1/mesh/acks', 'verifier', body)).status).toBe(status);
  });

  test('nobody confirms for a stream of another key, nor more than there is', async () => {
    const mesh = await TestMesh.start();
    const reader = await mesh.stream('/v1/mesh/stream?verifier=one');
    const { stream } = JSON.parse(reader.of('hello')[0]!.data) as { stream: string };
    expect((await mesh.ask('POST', '/v1/mesh/acks', 'admin', { stream, seq: 0 })).status).toBe(404);
    expect((await mesh.ask('POST', '/v1/mesh/acks', 'verifier', { stream, seq: 50 })).json()).toEqual({
      acknowledged: 0,
    });
  });
});

test('of streams that end together, who waits is told once', async () => {
  const mesh = await TestMesh.start();
  const names = Array.from({ length: 20 }, (_, i) => `v-${i}`);
  const readers = await Promise.all(names.map((name) => mesh.stream(`/v1/mesh/stream?verifier=${name}`)));
  let told = 0;
  mesh.server.hub.watch(() => told++);
  for (const { connection } of readers) connection!.closed();
  await settle();
  expect([mesh.server.hub.size, told]).toEqual([0, 1]);
});

describe('long poll and snapshot', () => {
  test('a poll answers at once with what is there, else with the next event, else after its wait', async () => {
    const mesh = await TestMesh.start();
    await revocations(mesh, 2);
    const now = (await mesh.ask('GET', '/v1/mesh/events?after=0', 'verifier')).json<{ events: unknown[] }>();
    expect(now.events).toHaveLength(2);
    const later = mesh.ask('GET', '/v1/mesh/events?after=2&wait=20s', 'verifier');
    await settle();
    await revocations(mesh, 1);
    expect((await later).json<{ events: { seq: number }[] }>().events.map((event) => event.seq)).toEqual([3]);
    const never = mesh.ask('GET', '/v1/mesh/events?after=3&wait=5s', 'verifier');
    await settle();
    mesh.clock.advance(5_000);
    mesh.server.tick();
    expect((await never).json()).toMatchObject({ events: [], checkpoint: { head: 3 }, reset: null });
  });

  test('the snapshot is the fold of the log, signed', async () => {
    const mesh = await TestMesh.start();
    await revocations(mesh, 3);
    await mesh.command('reinstate', { agent_id: 'did:web:acme.com:agents:a1', version: 1 });
    const snapshot = readSnapshot((await mesh.ask('GET', '/v1/mesh/snapshot', 'observer')).body, check);
    expect(snapshot.head.seq).toBe(4);
    expect(snapshot.standings.map((each) => [each.subject.slice(-2), each.status])).toEqual([
      ['a0', 'revoked'],
      ['a1', 'active'],
      ['a2', 'revoked'],
    ]);
  });

  test('a snapshot that is cut or changed anywhere is refused', async () => {
    const mesh = await TestMesh.start();
    await revocations(mesh, 2);
    const { body } = await mesh.ask('GET', '/v1/mesh/snapshot', 'observer');
    for (let i = 0; i < body.length; i++) {
      expect(() => readSnapshot(body.slice(0, i), check)).toThrow();
      const flipped = `${body.slice(0, i)}${String.fromCharCode(body.charCodeAt(i) ^ 1)}${body.slice(i + 1)}`;
      expect(() => readSnapshot(flipped, check)).toThrow();
    }
  });
});
