/** What every mesh store holds to. A store's own test calls this with a way to open one, and to open it again. */
import { describe, expect, test } from 'vitest';
import { commandDigest, type Command } from '../../src/mesh/command.js';
import { parseEvent } from '../../src/mesh/log/event.js';
import { NO_HASH } from '../../src/mesh/log/head.js';
import { judgeWith, type Answer, type Judge, type Proposal } from '../../src/mesh/ruling.js';
import type { Member } from '../../src/mesh/roster/member.js';
import { readTreeNote } from '../../src/mesh/log/tree-witness.js';
import { KnownTrees, type KnownTree } from '../../src/mesh/server/witness/known-trees.js';
import { nextStanding, type Standing } from '../../src/mesh/standing.js';
import type { MeshStore, ShippedEntry } from '../../src/mesh/log/store.js';
import { cheapSign } from '../kit/mesh/server.js';
import { TestTree, TreeVerifier } from '../kit/proof/trees.js';

export interface StoreUnderTest {
  readonly store: MeshStore;
  /** Opens the same store once more, beside this opening. */
  beside(): Promise<MeshStore>;
  /** Closes the store and opens it again, as the next process would. */
  reopen(): Promise<StoreUnderTest>;
  dispose(): Promise<void>;
}

const NOW = Date.parse('2026-02-18T14:23:45.000Z');
const agent = (n: number) => `did:web:acme.com:agents:a${n}`;

function command(fields: Partial<Command> = {}): Command {
  return {
    cmdId: `cmd-${Math.trunc(nextId++)}`,
    action: 'revoke',
    subject: agent(1),
    reason: 'r',
    by: null,
    durationMs: null,
    version: null,
    logId: null,
    expiresAt: null,
    ...fields,
  };
}
let nextId = 1_000_000;

function proposal(of: Command, nonce: string | null = null): Proposal {
  return {
    command: of,
    digest: commandDigest(of),
    operator: { key_id: 'k', signed: null },
    nonce: nonce === null ? null : { value: nonce, keepUntil: NOW + 1000 },
  };
}

const judge = judgeWith(NOW, cheapSign);

export function meshStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  async function using(work: (under: StoreUnderTest) => Promise<void>): Promise<void> {
    const under = await open();
    try {
      await work(under);
    } finally {
      await under.dispose();
    }
  }

  describe(`mesh store: ${name}`, () => {
    test('a new store is empty, healthy, and has an identity', () =>
      using(async ({ store }) => {
        expect(await store.head()).toEqual({ logId: store.logId, term: 0, seq: 0, hash: NO_HASH });
        expect(store.logId).toMatch(/^[0-9a-f]{32}$/);
        expect(await store.read(0, 10)).toEqual([]);
        expect((await store.snapshot()).standings).toEqual([]);
        expect(await store.standing(agent(1))).toBeNull();
        await expect(store.health()).resolves.toBeUndefined();
      }));

    test('seq counts from one without a hole, within a batch and across batches, each event linked to the one before', () =>
      using(async ({ store }) => {
        for (let i = 0; i < 5; i++) {
          const batch = Array.from({ length: i }, (_, j) => proposal(command({ subject: agent(j) })));
          await store.append(batch, judge);
        }
        const records = await store.read(0, 100);
        expect(records.map((record) => record.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        const events = records.map((record) => parseEvent(record.text));
        events.forEach((event, i) => expect(event.prev_hash).toBe(i === 0 ? NO_HASH : events[i - 1]!.hash));
        expect(await store.head()).toMatchObject({ seq: 10, hash: events[9]!.hash, term: store.term });
        expect((await store.read(3, 2)).map((record) => record.seq)).toEqual([4, 5]);
        expect(await store.read(10, 5)).toEqual([]);
      }));

    test('the snapshot is the fold of the log', () =>
      using(async ({ store }) => {
        const batch = Array.from({ length: 60 }, (_, i) =>
          proposal(
            i % 3 === 0
              ? command({ subject: agent(i % 7), action: 'suspend', durationMs: 1000 * i + 1000 })
              : command({ subject: agent(i % 7), action: i % 3 === 1 ? 'revoke' : 'reinstate' }),
          ),
        );
        await store.append(batch, judge);
        const fold = new Map<string, Standing>();
        for (const { text } of await store.read(0, 100)) {
          const event = parseEvent(text);
          fold.set(event.agent_id, nextStanding(fold.get(event.agent_id) ?? null, event));
        }
        const { head, standings } = await store.snapshot();
        expect(head.seq).toBe(60);
        expect(new Map(standings.map((each) => [each.subject, each]))).toEqual(fold);
        expect(await store.standing(agent(3))).toEqual(fold.get(agent(3)));
      }));

    test('a cmd_id is carried out once: within a batch, across batches, and after reopening', () =>
      using(async (under) => {
        const once = command();
        const [first, second] = await under.store.append([proposal(once), proposal(once)], judge);
        expect(first).toMatchObject({ kind: 'done', repeated: false });
        expect(second).toMatchObject({ kind: 'done', repeated: true });
        const again = await under.reopen();
        const [third] = await again.store.append([proposal(once)], judge);
        expect(third).toEqual(second);
        expect(await again.store.read(0, 10)).toHaveLength(1);
        await again.dispose();
      }));

    test('an order that changes nothing is answered alike under its cmd_id, whatever came since', () =>
      using(async (under) => {
        const once = proposal(command());
        const said: Answer = {
          ...{ cmdId: once.command.cmdId, digest: once.digest, action: 'revoke', subject: agent(1), status: 'active' },
          ...{ seq: 0, eventId: 'e', version: 0, changed: false, reason: null, time: '2026-02-18T14:23:45.000Z' },
        };
        expect(await under.store.append([once], () => ({ kind: 'same', answer: said }))).toEqual([
          { kind: 'done', answer: said, repeated: false },
        ]);
        const again = await under.reopen();
        expect(await again.store.append([once], judge)).toEqual([{ kind: 'done', answer: said, repeated: true }]);
        expect(await again.store.read(0, 10)).toEqual([]);
        await again.dispose();
      }));

    test('what is thrown before it is written leaves nothing: no event, answer, standing, passport or nonce', () =>
      using(async ({ store }) => {
        await store.append([proposal(command({ subject: agent(2) }))], judge);
        const before = [await store.head(), await store.snapshot(), await store.passports.marks()];
        const [first, second] = [
          proposal(command(), 'ab'.repeat(16)),
          proposal(command({ subject: agent(2), action: 'reinstate' })),
        ];
        const judged: number[] = [];
        const counting: Judge = (each, head, ...facts) => {
          judged.push(head.seq);
          return judge(each, head, ...facts);
        };
        const halt = store.append([first, second], counting, () => {
          throw new RangeError('not yet');
        });
        await expect(halt).rejects.toThrow(new RangeError('not yet'));
        expect(judged).toEqual([1, 2]);
        expect([await store.head(), await store.snapshot(), await store.passports.marks()]).toEqual(before);
        expect(await store.answers([first.command.cmdId])).toEqual([]);
        let called = 0;
        const outcomes = await store.append([first, second], judge, () => called++);
        expect(outcomes).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
        expect([called, (await store.head()).seq]).toEqual([1, 3]);
      }));

    test('another command under a known cmd_id is refused and leaves nothing', () =>
      using(async ({ store }) => {
        await store.append([proposal(command({ cmdId: 'cmd-taken' }))], judge);
        const [outcome] = await store.append([proposal(command({ cmdId: 'cmd-taken', reason: 'other' }))], judge);
        expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'CMD_ID_REUSED' } });
        expect((await store.head()).seq).toBe(1);
      }));

    test('a nonce is spent once, by commands and others alike, until it may be forgotten', () =>
      using(async (under) => {
        const { store } = under;
        const [first, second] = await store.append([proposal(command(), 'n1'), proposal(command(), 'n1')], judge);
        expect([first!.kind, second]).toMatchObject([
          'done',
          { kind: 'refused', refusal: { code: 'COMMAND_REPLAYED' } },
        ]);
        expect([await store.nonces.spend('n1', NOW), await store.nonces.spend('n2', NOW)]).toEqual([false, true]);
        await store.nonces.prune(NOW + 500);
        expect([await store.nonces.spend('n1', NOW), await store.nonces.spend('n2', NOW)]).toEqual([false, true]);
        const again = await under.reopen();
        expect(await again.store.nonces.spend('n1', NOW)).toBe(false);
        await again.dispose();
      }));

    test('the judge sees what earlier proposals of its own batch did', () =>
      using(async ({ store }) => {
        const outcomes = await store.append(
          [
            proposal(command()),
            proposal(command({ action: 'reinstate', version: 0 })),
            proposal(command({ action: 'reinstate', version: 1 })),
          ],
          judge,
        );
        expect(outcomes.map((each) => (each.kind === 'done' ? each.answer.version : each.refusal.code))).toEqual([
          1,
          'VERSION_CONFLICT',
          2,
        ]);
      }));

    test('everything is there after reopening, under the same term: the history goes on', () =>
      using(async (under) => {
        const { store } = under;
        await store.append([proposal(command())], judge);
        await store.setMeshKey('ed25519:00');
        const before = [await store.head(), await store.snapshot(), await store.read(0, 10)];
        const again = await under.reopen();
        expect(again.store.logId).toBe(store.logId);
        expect(again.store.term).toBe(1);
        expect([await again.store.head(), await again.store.snapshot(), await again.store.read(0, 10)]).toEqual(before);
        expect(await again.store.meshKey()).toBe('ed25519:00');
        await again.store.append([proposal(command())], judge);
        expect((await again.store.read(1, 1))[0]).toMatchObject({ seq: 2, term: again.store.term });
        await again.dispose();
      }));

    test('the head that is confirmed is the one that was committed last', () =>
      using(async ({ store }) => {
        expect(await store.confirm()).toEqual(await store.head());
        await store.append([proposal(command())], judge);
        expect(await store.confirm()).toMatchObject({ seq: 1, logId: store.logId });
      }));

    test('a new history has a greater term, for events from then on and after reopening, and ends a seal', () =>
      using(async (under) => {
        const { store } = under;
        await store.append([proposal(command())], judge);
        expect(await store.sealedBy()).toBeNull();
        await store.seal(4);
        await store.seal(3);
        expect(await store.sealedBy()).toBe(4);
        await expect(store.raiseTerm(1)).rejects.toThrow();
        expect([store.term, await store.sealedBy()]).toEqual([1, 4]);
        await store.raiseTerm(5);
        await store.append([proposal(command())], judge);
        expect((await store.read(0, 10)).map(({ term }) => term)).toEqual([1, 5]);
        const again = await under.reopen();
        expect([again.store.term, await again.store.sealedBy()]).toEqual([5, null]);
        await again.dispose();
      }));

    test('a seal by a term that the history has come to meanwhile is none', () =>
      using(async (under) => {
        const other = await under.beside();
        await under.store.raiseTerm(5);
        for (const term of [3, 5]) await other.seal(term);
        expect(await under.store.sealedBy()).toBeNull();
        expect((await other.append([proposal(command())], judge)).map(({ kind }) => kind)).toEqual(['done']);
        await other.seal(6);
        expect(await under.store.sealedBy()).toBe(6);
        await other.close();
      }));

    test('a seal outlives the process', () =>
      using(async (under) => {
        await under.store.seal(9);
        const again = await under.reopen();
        expect(await again.store.sealedBy()).toBe(9);
        await again.dispose();
      }));

    test('two openings write one history in turn: no hole, one term, one chain', () =>
      using(async (under) => {
        const stores = [under.store, await under.beside()] as const;
        for (let i = 0; i < 6; i++) await stores[i % 2]!.append([proposal(command({ subject: agent(i) }))], judge);
        for (const store of stores) {
          const events = (await store.read(0, 100)).map(({ text }) => parseEvent(text));
          expect(events.map(({ seq, term }) => [seq, term])).toEqual([1, 2, 3, 4, 5, 6].map((seq) => [seq, 1]));
          events.forEach((event, i) => expect(event.prev_hash).toBe(i === 0 ? NO_HASH : events[i - 1]!.hash));
          expect(await store.confirm()).toMatchObject({ seq: 6, hash: events[5]!.hash });
        }
        await stores[1].close();
      }));

    test('what one opening writes after another began a new history is of that one', () =>
      using(async (under) => {
        const other = await under.beside();
        await other.append([proposal(command())], judge);
        await under.store.raiseTerm(8);
        const [outcome] = await other.append([proposal(command())], judge);
        expect(outcome).toMatchObject({ kind: 'done', answer: { eventId: `${other.logId}.8.2` } });
        expect((await other.read(0, 10)).map(({ term }) => term)).toEqual([1, 8]);
        expect(other.term).toBe(8);
        await other.close();
      }));

    test('two openings carry a cmd_id out once and spend a nonce once', () =>
      using(async (under) => {
        const other = await under.beside();
        const once = command();
        const [first] = await under.store.append([proposal(once)], judge);
        const [second] = await other.append([proposal(once)], judge);
        expect(second).toEqual({ ...first, repeated: true });
        expect(await under.store.nonces.spend('n', NOW)).toBe(true);
        expect(await other.nonces.spend('n', NOW)).toBe(false);
        expect((await other.head()).seq).toBe(1);
        await other.close();
      }));

    test('what one opening commits wakes the other', () =>
      using(async (under) => {
        const other = await under.beside();
        let wake: () => void = () => undefined;
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const stop = other.onWake(wake);
        await under.store.append([proposal(command())], judge);
        await woken;
        stop();
        await other.close();
      }));

    test('listeners wake after a commit that wrote, and not after one that did not, nor when they stopped', () =>
      using(async ({ store }) => {
        let woken = 0;
        const stop = store.onWake(() => woken++);
        const once = command();
        await store.append([proposal(once)], judge);
        await new Promise((resolve) => setImmediate(resolve));
        expect(woken).toBe(1);
        await store.append([proposal(once)], judge);
        await new Promise((resolve) => setImmediate(resolve));
        expect(woken).toBe(1);
        stop();
        await store.append([proposal(command())], judge);
        await new Promise((resolve) => setImmediate(resolve));
        expect(woken).toBe(1);
      }));

    test('of two admin keys that two openings revoke at once, one stays', () =>
      using(async (under) => {
        const other = await under.beside();
        for (const keyId of ['a1', 'a2']) {
          const rest = { hash: keyId, label: null, publicKey: null, createdAt: NOW, revokedAt: null };
          await under.store.keys.add({ keyId, role: 'admin', ...rest });
        }
        const ends = await Promise.allSettled([
          under.store.keys.revoke('a1', NOW),
          other.keys.revoke('a2', NOW),
          other.keys.revoke('a1', NOW),
        ]);
        expect(ends.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
        expect((await under.store.keys.list()).filter(({ revokedAt }) => revokedAt === null)).toHaveLength(1);
        await other.close();
      }));

    test('keys are found, listed, and revoked once', () =>
      using(async (under) => {
        const { store } = under;
        const record = {
          keyId: 'k1',
          role: 'operator',
          hash: 'h',
          label: null,
          publicKey: 'ed25519:00',
          createdAt: NOW,
          revokedAt: null,
        } as const;
        await store.keys.add(record);
        const limits = { maxVerifiers: 100, ephemeral: true };
        await store.keys.add({ ...record, ...limits, keyId: 'k2', label: 'two', publicKey: null, createdAt: NOW + 1 });
        expect(await store.keys.find('k2')).toMatchObject(limits);
        await expect(store.keys.add(record)).rejects.toThrow();
        expect(await store.keys.find('k1')).toMatchObject(record);
        expect(await store.keys.find('k3')).toBeNull();
        expect((await store.keys.list()).map((each) => each.keyId)).toEqual(['k1', 'k2']);
        expect([await store.keys.revoke('k1', NOW), await store.keys.revoke('k1', NOW + 5)]).toEqual([true, false]);
        expect(await store.keys.revoke('k3', NOW)).toBe(false);
        const again = await under.reopen();
        expect(await again.store.keys.find('k1')).toMatchObject({ ...record, revokedAt: NOW });
        await again.dispose();
      }));

    test('the roster is kept: the last word of each verifier, those seen since, and none that was taken off', () =>
      using(async (under) => {
        const { store } = under;
        const member = (verifier: string, seq: number, seenAt: number): Member => ({
          verifier,
          label: verifier,
          keyId: 'k',
          program: '1.0.0',
          onStale: 'deny',
          maxAgeMs: 30_000,
          seq,
          applied: null,
          firstSeenAt: NOW,
          seenAt,
          leftAt: null,
          ephemeral: false,
        });
        await store.members.put([member('v1', 1, NOW), member('v2', 1, NOW)]);
        await store.members.put([member('v1', 2, NOW + 1)]);
        expect(await store.members.list(NOW)).toEqual([member('v1', 2, NOW + 1)]);
        await store.members.forget('v2');
        const again = await under.reopen();
        expect(await again.store.members.list(0)).toEqual([member('v1', 2, NOW + 1)]);
        await again.dispose();
      }));

    test('notes are kept by name', () =>
      using(async (under) => {
        expect(await under.store.notes.get('a')).toBeNull();
        await under.store.notes.put('a', '1');
        await under.store.notes.put('a', '2');
        const again = await under.reopen();
        expect([await again.store.notes.get('a'), await again.store.notes.get('b')]).toEqual(['2', null]);
        await again.dispose();
      }));

    test('papers change one version at a time, are listed by their change, and end', () =>
      using(async (under) => {
        const { store } = under;
        const paper = (id: string, version: number, at: number, text = `${id} ${version}`) => ({
          id,
          version,
          changedAt: NOW + at,
          keepUntil: NOW + 1_000 + at,
          text,
        });
        const ids = async (since: number) => (await store.papers.list('a', NOW + since)).map(({ id }) => id);
        expect(await store.papers.get('a', 'one')).toBeNull();
        expect(await store.papers.put('a', paper('one', 2, 0))).toBe(false);
        expect(await store.papers.put('a', paper('one', 1, 0))).toBe(true);
        expect(await store.papers.put('a', paper('one', 1, 1, 'another'))).toBe(false);
        expect(await store.papers.put('b', paper('one', 1, 5, 'of another kind'))).toBe(true);
        expect(await store.papers.put('a', paper('two', 1, 3))).toBe(true);
        expect(await ids(-1)).toEqual(['one', 'two']);
        expect(await store.papers.put('a', paper('one', 2, 4))).toBe(true);
        // Who saw the version before it comes too late.
        expect(await store.papers.put('a', paper('one', 2, 4, 'late'))).toBe(false);
        expect(await store.papers.get('a', 'one')).toEqual(paper('one', 2, 4));
        expect(await ids(-1)).toEqual(['two', 'one']);
        expect(await ids(3)).toEqual(['one']);
        await store.papers.prune(NOW + 1_004);
        expect(await ids(-1)).toEqual(['one']);
        const again = await under.reopen();
        try {
          expect(await again.store.papers.get('a', 'one')).toEqual(paper('one', 2, 4));
          expect((await again.store.papers.get('b', 'one'))?.text).toBe('of another kind');
        } finally {
          await again.dispose();
        }
      }));

    test('of two openings that change one paper, one does', () =>
      using(async ({ store, beside }) => {
        const other = await beside();
        try {
          const paper = { id: 'p', version: 1, changedAt: NOW, keepUntil: NOW + 1, text: 'first' };
          expect(await store.papers.put('a', paper)).toBe(true);
          const puts = await Promise.all(
            [store, other].map((each, i) => each.papers.put('a', { ...paper, version: 2, text: `by ${i}` })),
          );
          expect(puts.filter(Boolean)).toHaveLength(1);
          expect((await other.papers.get('a', 'p'))?.text).toBe(`by ${puts.indexOf(true)}`);
        } finally {
          await other.close();
        }
      }));

    test('of two servers that see different trees of one log, one keeps its own, and the next process knows it', () =>
      using(async (under) => {
        const { store } = under;
        const other = await under.beside();
        const v = new TreeVerifier(11);
        const seen = (...leaves: string[]): KnownTree => {
          const text = v.checkpoint(new TestTree(...leaves));
          return { keyId: 'k', publicKey: v.publicKey, checkpoint: readTreeNote(text), text };
        };
        const sight = { at: NOW, ephemeral: false };
        const [here, there] = [new KnownTrees(store.papers), new KnownTrees(other.papers)];
        try {
          expect(await here.find(v.logId)).toBeNull();
          expect(await here.keep(seen('a'), null, sight)).toBe(true);
          const [known, same] = [await here.find(v.logId), await there.find(v.logId)];
          expect(known).toEqual({ ...seen('a'), version: 1 });
          const both = [seen('a', 'b'), seen('a', 'c')] as const;
          const kept = await Promise.all([here.keep(both[0], known, sight), there.keep(both[1], same, sight)]);
          expect(kept.filter(Boolean)).toHaveLength(1);
          expect(await here.keep(seen('x'), null, sight)).toBe(false);
          const again = await under.reopen();
          try {
            const next = await new KnownTrees(again.store.papers).find(v.logId);
            expect(next).toEqual({ ...both[kept.indexOf(true)]!, version: 2 });
          } finally {
            await again.dispose();
          }
        } finally {
          await other.close();
        }
      }));

    test('shipped entries are one chain a log: repeated parts are taken once, gaps and forks are named', () =>
      using(async ({ store }) => {
        const entry = (seq: number, fields: Partial<ShippedEntry> = {}): ShippedEntry => ({
          seq,
          prevHash: `h${seq - 1}`,
          hash: `h${seq}`,
          agentId: agent(seq % 2),
          status: seq % 3 === 0 ? 'failed' : 'success',
          code: seq % 3 === 0 ? 'AIP-E202' : null,
          at: NOW + seq,
          text: `{"seq":${seq}}`,
          ...fields,
        });
        const ship = (...entries: ShippedEntry[]) =>
          store.logs.put({ logId: 'l1', verifier: 'v1', keyId: 'k', at: NOW, entries });
        expect(await store.logs.end('l1')).toBeNull();
        expect(await store.logs.head()).toBe(0);
        expect(await ship(entry(5), entry(6))).toEqual({ kind: 'stored', seq: 6, hash: 'h6' });
        expect(await ship(entry(6), entry(7))).toEqual({ kind: 'stored', seq: 7, hash: 'h7' });
        expect(await ship(entry(9))).toEqual({ kind: 'gap', seq: 7 });
        expect(await ship(entry(8, { prevHash: 'other' }))).toEqual({ kind: 'fork', seq: 8 });
        expect(await ship(entry(6, { hash: 'other' }))).toEqual({ kind: 'fork', seq: 6 });
        // Nothing of a shipment that ends in a fork stays.
        expect(await ship(entry(7, { hash: 'other' }), entry(8, { prevHash: 'other' }))).toMatchObject({
          kind: 'fork',
        });
        await store.logs.put({ logId: 'l2', verifier: 'v2', keyId: 'k2', at: NOW + 1, entries: [entry(1)] });
        const taken = [
          { logId: 'l1', verifier: 'v3' },
          { logId: 'l3', verifier: 'v1' },
          { logId: 'l2', verifier: 'v1' },
        ];
        for (const names of taken) {
          const claim = { ...names, keyId: 'k', at: NOW, entries: [entry(8)] };
          expect(await store.logs.put(claim)).toEqual({ kind: 'taken' });
        }
        expect(await store.logs.head()).toBe(4);
        expect(await store.logs.end('l1')).toEqual({
          logId: 'l1',
          verifier: 'v1',
          keyId: 'k',
          seq: 7,
          hash: 'h7',
          at: NOW,
        });
        expect((await store.logs.ends(10)).map(({ logId, seq }) => [logId, seq])).toEqual([
          ['l2', 1],
          ['l1', 7],
        ]);
        const all = await store.logs.read({ limit: 10 });
        expect(all.map((each) => each.text)).toEqual(['{"seq":5}', '{"seq":6}', '{"seq":7}', '{"seq":1}']);
        const texts = async (query: object) =>
          (await store.logs.read({ limit: 10, ...query })).map((each) => each.text);
        expect(await texts({ agentId: agent(0) })).toEqual(['{"seq":6}']);
        expect(await texts({ agentId: agent(1), status: 'success' })).toEqual(['{"seq":5}', '{"seq":7}', '{"seq":1}']);
        expect(await texts({ since: NOW + 6 })).toEqual(['{"seq":6}', '{"seq":7}']);
        expect(await texts({ after: all[1]!.row, limit: 1 })).toEqual(['{"seq":7}']);
        expect(await texts({ code: 'AIP-E202' })).toEqual(['{"seq":6}']);
        expect(await texts({ agentId: agent(1), code: 'AIP-E202' })).toEqual([]);
        expect(await texts({ last: 2 })).toEqual(['{"seq":7}', '{"seq":1}']);
        expect(await texts({ last: 1, agentId: agent(0) })).toEqual(['{"seq":6}']);
        expect(await texts({ last: 0 })).toEqual([]);
      }));

    test('shipped entries go by when they arrived, a tenth at a time, and rows go on counting', () =>
      using(async ({ store }) => {
        const entry = (seq: number): ShippedEntry => ({
          ...{ seq, prevHash: `h${seq - 1}`, hash: `h${seq}`, agentId: agent(0), status: 'success', code: null },
          ...{ at: NOW - 1_000_000, text: `{"seq":${seq}}` },
        });
        const ship = (at: number, first: number, count: number) =>
          store.logs.put({
            ...{ logId: 'l1', verifier: 'v1', keyId: 'k', at },
            entries: Array.from({ length: count }, (_, i) => entry(first + i)),
          });
        expect(await store.logs.expire(NOW)).toBe(0);
        await ship(NOW, 1, 15);
        await ship(NOW + 100, 16, 15);
        // Their own times are long past; what counts is when they came.
        expect(await store.logs.expire(NOW)).toBe(0);
        expect(await store.logs.expire(NOW + 1)).toBe(3);
        expect((await store.logs.read({ limit: 1 })).map(({ row, text }) => [row, text])).toEqual([[4, '{"seq":4}']]);
        for (let i = 0; i < 20; i++) await store.logs.expire(NOW + 1);
        // A tenth of few is none: what is left is always less than ten, and never the newest.
        const kept = await store.logs.read({ limit: 100 });
        expect(kept[0]!.row).toBe(16);
        for (let i = 0; i < 50; i++) await store.logs.expire(NOW + 1_000);
        const left = await store.logs.read({ limit: 100 });
        expect([left.length > 0, left.at(-1)!.row, await store.logs.head()]).toEqual([true, 30, 30]);
        expect(await ship(NOW + 200, 31, 1)).toEqual({ kind: 'stored', seq: 31, hash: 'h31' });
        expect(await store.logs.head()).toBe(31);
      }));

    test('a shipped log is dropped whole: its id and name are free, others stay, and rows go on counting', () =>
      using(async (under) => {
        let { store } = under;
        const entry = (seq: number, by: string): ShippedEntry => ({
          ...{
            seq,
            prevHash: `${by}${seq - 1}`,
            hash: `${by}${seq}`,
            agentId: agent(0),
            status: 'success',
            code: null,
          },
          ...{ at: NOW, text: `"${by} ${seq}"` },
        });
        const ship = (by: string, logId: string, verifier: string, from: number, count: number) =>
          store.logs.put({
            ...{ logId, verifier, keyId: `key of ${by}`, at: NOW },
            entries: Array.from({ length: count }, (_, i) => entry(from + i, by)),
          });
        await ship('owner', 'l1', 'v1', 1, 3);
        const before = await store.logs.usage();
        await ship('squatter', 'l2', 'v2', 1, 450);
        expect(await ship('owner', 'l3', 'v2', 1, 1)).toEqual({ kind: 'taken' });
        expect(await ship('owner', 'l2', 'v3', 1, 1)).toEqual({ kind: 'taken' });
        expect(await store.logs.endOf('v2')).toMatchObject({ logId: 'l2', keyId: 'key of squatter', seq: 450 });
        expect([await store.logs.endOf('v9'), await store.logs.drop('l9')]).toEqual([null, 0]);
        expect(await store.logs.drop('l2')).toBe(450);
        expect([await store.logs.end('l2'), await store.logs.endOf('v2'), await store.logs.drop('l2')]).toEqual([
          ...[null, null, 0],
        ]);
        expect((await store.logs.usage()).bytes).toBeLessThan(before.bytes + 100_000);
        // The newest went, and its number is given to no other: a reader that stands there misses nothing.
        expect(await store.logs.head()).toBe(453);
        const again = await under.reopen();
        ({ store } = again);
        expect(await store.logs.head()).toBe(453);
        expect(await ship('owner', 'l2', 'v2', 7, 2)).toEqual({ kind: 'stored', seq: 8, hash: 'owner8' });
        expect(await store.logs.read({ after: 2, limit: 500 })).toEqual([
          { row: 3, text: '"owner 3"' },
          { row: 454, text: '"owner 7"' },
          { row: 455, text: '"owner 8"' },
        ]);
        expect(await ship('owner', 'l1', 'v1', 4, 1)).toEqual({ kind: 'stored', seq: 4, hash: 'owner4' });
        expect(await store.logs.head()).toBe(456);
        await store.logs.rewrite({}, (text) => text.replace('owner', 'x'));
        expect((await store.logs.read({ limit: 1 }))[0]).toEqual({ row: 1, text: '"x 1"' });
        for (let i = 0; i < 5; i++) await store.logs.expire(NOW + 1);
        expect(await store.logs.head()).toBe(456);
        await again.dispose();
      }));

    test('shipped entries are rewritten in order, those of an agent, of a log, or both', () =>
      using(async ({ store }) => {
        const entry = (seq: number): ShippedEntry => ({
          ...{ seq, prevHash: `h${seq - 1}`, hash: `h${seq}`, agentId: agent(seq % 2), status: 'success', code: null },
          ...{ at: NOW, text: `${seq} secret` },
        });
        const entries = Array.from({ length: 450 }, (_, i) => entry(i + 1));
        await store.logs.put({ logId: 'l1', verifier: 'v1', keyId: 'k', at: NOW, entries });
        await store.logs.put({ logId: 'l2', verifier: 'v2', keyId: 'k', at: NOW, entries: entries.slice(0, 2) });
        const seen: string[] = [];
        const odd = await store.logs.rewrite({ agentId: agent(1) }, (text, logId) => {
          seen.push(`${logId} ${text}`);
          return logId === 'l1' ? text.replace('secret', 'gone') : null;
        });
        expect([odd.entries, seen.length, seen[0], seen.at(-1)]).toEqual([225, 226, 'l1 1 secret', 'l2 1 secret']);
        expect((await store.logs.rewrite({ logId: 'l2' }, (text) => text.replace('secret', 'gone'))).entries).toBe(2);
        expect((await store.logs.rewrite({ logId: 'l2', agentId: agent(1) }, () => null)).entries).toBe(0);
        const texts = (await store.logs.read({ limit: 500 })).map(({ text }) => text);
        expect(texts.slice(0, 3)).toEqual(['1 gone', '2 secret', '3 gone']);
        expect(texts.slice(-2)).toEqual(['1 gone', '2 gone']);
        // What they are in the chain stays: the same part again is the same.
        expect(await store.logs.put({ logId: 'l2', verifier: 'v2', keyId: 'k', at: NOW, entries: [entry(2)] })).toEqual(
          {
            ...{ kind: 'stored', seq: 2, hash: 'h2' },
          },
        );
        // Rows take the room of what they hold now.
        const { bytes } = await store.logs.usage();
        await store.logs.rewrite({ logId: 'l1' }, (text) => `${text} ${'x'.repeat(1000)}`);
        expect((await store.logs.usage()).bytes).toBeGreaterThan(bytes + 400_000);
        for (const logId of ['l1', 'l2']) await store.logs.drop(logId);
        expect((await store.logs.usage()).bytes).toBeLessThan(200_000);
      }));
  });
}
