import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../kit/mesh/memory/store.js';
import { commandDigest, type Action } from '../../src/mesh/command.js';
import { parseEvent } from '../../src/mesh/log/event.js';
import { judgeWith, type Proposal } from '../../src/mesh/ruling.js';
import { SnapshotKeeper } from '../../src/mesh/server/feed/snapshot-keeper.js';
import { readSnapshot, type Snapshot } from '../../src/mesh/log/snapshot.js';
import { nextStanding, type Standing } from '../../src/mesh/standing.js';
import { cheapCheck, cheapSign, LOG_ID } from '../kit/mesh/server.js';

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const TIME = '2026-02-18T14:23:45.000Z';
let commands = 0;

function proposal(n: number, action: Action): Proposal {
  const durationMs = action === 'suspend' ? 1000 * (n + 1) : null;
  const fields = { reason: 'r', by: null, version: null, logId: null, expiresAt: null };
  const command = {
    cmdId: `cmd-${commands++}`,
    action,
    subject: `did:web:acme.com:agents:a${n}`,
    durationMs,
    ...fields,
  };
  return { command, digest: commandDigest(command), operator: { key_id: 'k', signed: null }, nonce: null };
}

async function append(store: MemoryMeshStore, batch: readonly (readonly [number, Action])[]): Promise<void> {
  const judge = judgeWith(NOW, cheapSign);
  await store.append(
    batch.map(([n, action]) => proposal(n, action)),
    judge,
  );
}

/** The fold of the log up to `seq`, by subject. */
async function foldOf(store: MemoryMeshStore, seq: number): Promise<Map<string, Standing>> {
  const fold = new Map<string, Standing>();
  for (const { text } of await store.read(0, seq)) {
    const event = parseEvent(text);
    fold.set(event.agent_id, nextStanding(fold.get(event.agent_id) ?? null, event));
  }
  return fold;
}

async function made(keeper: SnapshotKeeper): Promise<Snapshot> {
  const { seq, pieces } = await keeper.make(TIME, 1);
  const snapshot = readSnapshot(Buffer.concat(pieces).toString(), cheapCheck);
  expect(snapshot.head.seq).toBe(seq);
  return snapshot;
}

async function expectFold(store: MemoryMeshStore, { head, standings }: Snapshot): Promise<void> {
  const fold = await foldOf(store, head.seq);
  expect(standings).toHaveLength(fold.size);
  expect(new Map(standings.map((each) => [each.subject, each]))).toEqual(fold);
  const [last] = head.seq === 0 ? [] : await store.read(head.seq - 1, 1);
  expect(head).toMatchObject(last === undefined ? { seq: 0 } : { seq: last.seq, term: last.term, hash: last.hash });
}

const BATCH = fc.array(fc.tuple(fc.nat(700), fc.constantFrom<Action>('revoke', 'revoke', 'suspend', 'reinstate')), {
  maxLength: 150,
});

describe('the snapshot made in slices', () => {
  test('is the fold of the log at its head, whatever is written between the slices', () =>
    fc.assert(
      fc.asyncProperty(BATCH, BATCH, fc.array(BATCH, { maxLength: 30 }), async (first, second, between) => {
        const store = new MemoryMeshStore(LOG_ID);
        await append(store, first);
        const waiting = [...between];
        const keeper = new SnapshotKeeper(store, cheapSign, async () => {
          const batch = waiting.shift();
          if (batch !== undefined) await append(store, batch);
        });
        await expectFold(store, await made(keeper));
        await append(store, second);
        await expectFold(store, await made(keeper));
        await expectFold(store, await made(keeper));
      }),
      { numRuns: 60 },
    ));

  test('gives others their turn after every few subjects, and later only for what was touched', async () => {
    const store = new MemoryMeshStore(LOG_ID);
    await append(
      store,
      Array.from({ length: 2_000 }, (_, n) => [n, 'revoke'] as const),
    );
    let pauses = 0;
    const keeper = new SnapshotKeeper(store, cheapSign, async () => void pauses++);
    await made(keeper);
    expect(pauses).toBeGreaterThanOrEqual(2_000 / 256);
    pauses = 0;
    await append(store, [[1, 'reinstate']]);
    const { standings } = await made(keeper);
    expect(standings.filter((each) => each.status === 'active')).toHaveLength(1);
    expect(pauses).toBeLessThan(5);
  });

  test('of an empty log is empty, and grows from there in small pieces', async () => {
    const store = new MemoryMeshStore(LOG_ID);
    const keeper = new SnapshotKeeper(store, cheapSign, async () => undefined);
    expect(await made(keeper)).toMatchObject({ standings: [] });
    for (let i = 0; i < 10; i++) {
      await append(
        store,
        Array.from({ length: 100 }, (_, n) => [i * 100 + n, 'revoke'] as const),
      );
      const { pieces } = await keeper.make(TIME, 1);
      await expectFold(store, readSnapshot(Buffer.concat(pieces).toString(), cheapCheck));
      for (const piece of pieces) expect(piece.length).toBeLessThan(130 * 250);
    }
  });

  test('fails when the store lost events, instead of leaving them out', async () => {
    class Losing extends MemoryMeshStore {
      override async read() {
        return [];
      }
    }
    const store = new Losing(LOG_ID);
    const keeper = new SnapshotKeeper(store, cheapSign, async () => undefined);
    await made(keeper);
    await append(store, [[1, 'revoke']]);
    await expect(keeper.make(TIME, 1)).rejects.toThrow(/lost the events/);
  });
});
