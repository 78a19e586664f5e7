/** A mesh server as a process that is killed, whose disk fails, or that is not alone. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SqliteMeshStore } from '../../../src/adapters/mesh/sqlite/store.js';
import { parseEvent, type MeshEvent } from '../../../src/mesh/log/event.js';
import { NO_HASH } from '../../../src/mesh/log/head.js';
import { commandId, ServerProcess, started, whyNoStrace } from '../../kit/mesh/server-process.js';
import { scratch } from '../../kit/scratch.js';

const CRASHES = Number(process.env['AIP_TEST_CRASHES'] ?? 20);
const CLIENTS = 8;

/** The log as the next server finds it, checked to be one chain from its first event. */
async function logIn(folder: string): Promise<MeshEvent[]> {
  const store = new SqliteMeshStore(join(folder, 'mesh.db'), () => 'f'.repeat(32));
  try {
    const events: MeshEvent[] = [];
    for (;;) {
      const page = await store.read(events.length, 1_000);
      if (page.length === 0) break;
      events.push(...page.map((record) => parseEvent(record.text)));
    }
    events.forEach((event, i) => {
      expect(event.seq).toBe(i + 1);
      expect(event.prev_hash).toBe(i === 0 ? NO_HASH : events[i - 1]!.hash);
    });
    return events;
  } finally {
    await store.close();
  }
}

/** What was answered `durable` must be in the log, at its place, once. */
function expectKept(acknowledged: ReadonlyMap<string, number>, events: readonly MeshEvent[]): void {
  for (const [cmdId, seq] of acknowledged) expect(events[seq - 1]?.cmd_id, `acknowledged ${cmdId}`).toBe(cmdId);
  expect(new Set(events.map((event) => event.cmd_id)).size).toBe(events.length);
}

test(`after SIGKILL at any moment (${CRASHES} times) what was acknowledged is there, once, without a hole`, async () => {
  const folder = scratch();
  const acknowledged = new Map<string, number>();
  /** Asked and not answered: every client asks again, under the same cmd_id. */
  const open: (string | null)[] = Array(CLIENTS).fill(null);
  for (let crash = 0; crash < CRASHES; crash++) {
    const server = await started(folder);
    let killed = false;
    const clients = open.map(async (_, i) => {
      while (!killed) {
        const cmdId = (open[i] ??= commandId());
        const answer = await server.revoke(cmdId, `did:web:acme.com:agents:a${i}`);
        if (answer === null) continue;
        const { seq, durable, cmd_id } = JSON.parse(answer.body) as Record<string, unknown>;
        expect([answer.status, durable, cmd_id]).toEqual([200, true, cmdId]);
        acknowledged.set(cmdId, seq as number);
        open[i] = null;
      }
    });
    await sleep(randomInt(150));
    await server.kill();
    killed = true;
    await Promise.all(clients);
  }
  const events = await logIn(folder);
  expect(acknowledged.size).toBeGreaterThan(CRASHES);
  expectKept(acknowledged, events);
  // Whatever is there beyond that was asked for, and not answered.
  const unasked = events.filter((event) => !acknowledged.has(event.cmd_id) && !open.includes(event.cmd_id));
  expect(unasked).toEqual([]);
}, 600_000);

test('a second server on the same store ends with a message, and the first goes on', async () => {
  const folder = scratch();
  const first = await started(folder);
  const second = await ServerProcess.start(folder);
  expect(second).toMatchObject({ code: 3, errors: expect.stringMatching(/Another server has the mesh store .* open/) });
  expect((await first.revoke(commandId()))?.status).toBe(200);
  expect(await first.close()).toMatchObject({ code: 0, errors: '' });
});

describe('a disk that fails', () => {
  /** Revokes until the server no longer says that it is done; then it must end, and say why. */
  async function untilBroken(folder: string, before: readonly string[]): Promise<string> {
    const server = await started(folder, before);
    const acknowledged = new Map<string, number>();
    let refused = 0;
    for (let round = 0; round < 500 && refused === 0; round++) {
      const batch = Array.from({ length: 4 }, () => commandId());
      const answers = await Promise.all(batch.map((cmdId) => server.revoke(cmdId)));
      answers.forEach((answer, i) => {
        if (answer?.status === 200) {
          expect(refused, 'nothing is acknowledged after the failure').toBe(0);
          acknowledged.set(batch[i]!, (JSON.parse(answer.body) as { seq: number }).seq);
          return;
        }
        refused++;
        if (answer !== null)
          expect([answer.status, JSON.parse(answer.body)]).toMatchObject([500, { code: 'STORE_FAILED' }]);
      });
    }
    // Whoever asks on gets no answer, or a refusal.
    for (let i = 0; i < 5; i++) expect((await server.revoke(commandId()))?.status ?? 500).toBe(500);
    const { code, signal, errors } = await server.ended;
    expect([code, signal]).toEqual([3, null]);
    expect(refused).toBeGreaterThan(0);
    expect(acknowledged.size).toBeGreaterThan(0);
    expectKept(acknowledged, await logIn(folder));
    return errors;
  }

  test('a quota that is used up ends the server', async () => {
    const shell = ['sh', '-c', 'ulimit -f 800 && exec "$@"', 'sh'];
    expect(await untilBroken(scratch(), shell)).toMatch(/The mesh store failed \(SQLITE_\w+\); this server ends/);
  });

  const strace = whyNoStrace();
  if (strace !== null) console.log(`skipped: failing system calls: ${strace}`);
  else
    test.each([
      ['a flush that fails', 'fsync,fdatasync', 'EIO', /The mesh store failed \(SQLITE_IOERR_\w+\); this server ends/],
      ['a disk that is full', 'pwrite64', 'ENOSPC', /No space is left for the mesh store \(SQLITE_FULL\)/],
      ['a disk that cannot be written', 'pwrite64', 'EIO', /The mesh store failed \(SQLITE_IOERR_\w+\)/],
    ])('%s ends the server, and nothing is acknowledged afterwards', async (_, calls, error, message) => {
      const folder = scratch();
      await (await started(folder)).close();
      const when = calls === 'pwrite64' ? 200 : 20;
      const inject = `inject=${calls}:error=${error}:when=${when}+`;
      const tracer = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject];
      expect(await untilBroken(folder, tracer)).toMatch(message);
    });
});
