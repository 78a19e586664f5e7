/** Servers of one mesh on one database as processes of their own: one that is frozen in the middle, and all that are killed in turn. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { commandDigest, type Command } from '../../../../src/mesh/command.js';
import { StoreTrouble, type MeshStore, type OrderResult } from '../../../../src/mesh/log/store.js';
import { judgeWith, type Proposal } from '../../../../src/mesh/ruling.js';
import { bundle } from '../../../kit/bundle.js';
import { cheapSign } from '../../../kit/mesh/server.js';
import { openStore } from '../../../kit/mesh/several/postgres.js';
import { scratch } from '../../../kit/scratch.js';
import { soak } from '../../../kit/mesh/several/soak.js';
import { PlainStreams } from '../../../kit/mesh/several/streams.js';
import { describePostgres, QUICK } from '../../../kit/postgres.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');

function proposal(cmdId: string): Proposal {
  const command: Command = {
    ...{ cmdId, action: 'revoke', subject: `did:web:acme.com:agents:${cmdId}`, reason: 'r', by: null },
    ...{ durationMs: null, version: null, logId: null, expiresAt: null },
  };
  return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
}

/** Asks again under the same id until there is an answer. */
async function settled(store: MeshStore, cmdId: string): Promise<OrderResult> {
  for (const end = Date.now() + 20_000; ;) {
    try {
      return (await store.append([proposal(cmdId)], judgeWith(NOW, cheapSign)))[0]!;
    } catch (error) {
      if (!(error instanceof StoreTrouble) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A server that stops at its nth judgement, and what it has said. */
async function frozenServer(url: string, cmdId: string, stopsAt: number) {
  const file = await bundle(fileURLToPath(new URL('../../../kit/mesh/several/frozen-process.ts', import.meta.url)));
  const child: ChildProcess = spawn(process.execPath, [file, url, cmdId, String(stopsAt)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const says = async (line: string): Promise<void> => {
    for (const end = Date.now() + 30_000; !out.split('\n').includes(line);) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`it said ${out}, and not ${line}: ${err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return {
    /** Resolves when it has said so and stands still: a SIGCONT that comes before its SIGSTOP would wake nobody. */
    stopsAt: async (line: string): Promise<void> => {
      await says(line);
      while (!spawnSync('ps', ['-o', 'stat=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout.startsWith('T'))
        await new Promise((resolve) => setTimeout(resolve, 10));
    },
    goOn: () => child.kill('SIGCONT'),
    last: async () => {
      await ended;
      return JSON.parse(out.trim().split('\n').at(-1)!) as unknown;
    },
  };
}

describePostgres('servers of one mesh', QUICK, (cluster) => {
  test('one that is frozen between reading and writing stops no command of the others, and writes after them', async () => {
    const { url } = await cluster().database();
    const store = await openStore(url);
    await settled(store, 'before-all-of-it');
    const frozen = await frozenServer(url, 'frozen-command', 1);
    await frozen.stopsAt('stopped');
    // Nothing is held: it is one statement, not a wait for a lock.
    for (let i = 0; i < 3; i++)
      expect(await store.append([proposal(`while-frozen-${i}`)], judgeWith(NOW, cheapSign))).toMatchObject([
        { kind: 'done', answer: { seq: i + 2 } },
      ]);
    expect(await store.confirm()).toMatchObject({ seq: 4 });
    frozen.goOn();
    expect(await frozen.last()).toBe(5);
    expect((await store.read(0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  }, 60_000);

  test('one that is frozen while it holds the head loses it after a second, and its command is written once', async () => {
    const { url } = await cluster().database();
    const store = await openStore(url);
    await settled(store, 'before-all-of-it');
    const frozen = await frozenServer(url, 'frozen-command', 2);
    await frozen.stopsAt('judged');
    // Its first try meets another head; the second holds it.
    await settled(store, 'in-between-command');
    frozen.goOn();
    await frozen.stopsAt('stopped');
    expect(await settled(store, 'while-it-is-held')).toMatchObject({ kind: 'done', answer: { seq: 3 } });
    expect(await store.confirm()).toMatchObject({ seq: 3 });
    frozen.goOn();
    expect(await frozen.last()).toBe(4);
    expect(await store.read(0, 10)).toHaveLength(4);
  }, 60_000);

  test('four of them, killed in turn and back again: nothing acknowledged is lost, nothing is allowed after the bound', async () => {
    const { url } = await cluster().database();
    const report = await soak({
      program: await bundle(fileURLToPath(new URL('../../../kit/mesh/several/node-process.ts', import.meta.url))),
      ...{ store: url, folder: scratch(), nodes: 4, verifiers: 8, seconds: 12, everyMs: 100 },
      streams: (ports, key) => {
        const streams = new PlainStreams({ ports, key, count: 40 });
        return { seen: async () => streams.seen, end: () => streams.end() };
      },
    });
    expect(report).toMatchObject({ lost: [], allowedLate: [], alarms: [] });
    expect(report.head).toBe(report.acknowledged);
    expect(report.streams).toMatchObject({ gaps: 0, least: report.head });
    expect(report.kills).toBeGreaterThan(1);
    expect(report.acknowledged).toBeGreaterThan(4);
  }, 180_000);
});
