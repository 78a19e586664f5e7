/** A machine's log on its way to the mesh, over a line that fails, and back at a terminal. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SqliteState } from '../../src/adapters/sqlite/state.js';
import type { MeshEndpoint } from '../../src/app/ports/mesh.js';
import { shipLogs, type ShippingDeps, type ShippingState } from '../../src/app/logs/ship.js';
import { isSignedBy, readStatement } from '../../src/app/logs/statements.js';
import { fleetConduct } from '../../src/app/conduct/fleet-conduct.js';
import type { Link } from '../../src/protocol/log/chain.js';
import type { Entry } from '../../src/protocol/log/entry.js';
import { parsePublicKey } from '../../src/protocol/identity/keys.js';
import { writePast } from '../kit/history.js';
import { TestVerifier } from '../kit/mesh/fleet.js';
import { network, until, type NetworkMesh } from '../kit/mesh/network.js';
import { MESH_PUBLIC_KEY, TestMesh } from '../kit/mesh/server.js';
import { AGENT, draft, OTHER, T0 } from '../kit/state/drafts.js';
import { openAt, statePath } from '../kit/state/temporary.js';
import { world, type World } from '../kit/world.js';

const MESH_KEY = parsePublicKey(MESH_PUBLIC_KEY)!;

/** What the line does with a request: carries it out, loses it, or loses its answer. */
type Fate = 'answered' | 'lost' | 'unanswered' | 'busy' | 'astray' | 'portal' | 'garbled';

function lineTo(mesh: TestMesh, fates: () => Fate): MeshEndpoint {
  return {
    url: 'http://mesh.test',
    ask: async ({ method, target, body }) => {
      const fate = fates();
      if (fate === 'lost') return { kind: 'unreachable', reason: 'nothing listens there', sent: false };
      if (fate === 'busy') return { kind: 'answered', status: 503, body: '<html>bad gateway</html>' };
      if (fate === 'astray') return { kind: 'answered', status: 404, body: '<html>no such page</html>' };
      if (fate === 'portal') return { kind: 'answered', status: 200, body: '<html>log in first</html>' };
      if (fate === 'garbled') return { kind: 'answered', status: 403, body: '{"message":"blocked"}' };
      const { status, body: text } = await mesh.ask(method, target, 'verifier', Buffer.from(body!).toString());
      if (fate === 'unanswered') return { kind: 'unreachable', reason: 'the connection broke', sent: true };
      return { kind: 'answered', status, body: text };
    },
  };
}

function stateWith(count: number): SqliteState {
  const state = openAt(statePath());
  append(state, count);
  return state;
}

function append(state: SqliteState, count: number): void {
  state.transact((ledger) => {
    for (let i = 0; i < count; i++) ledger.append(draft({ at: T0 + i }));
  });
}

interface Run {
  readonly end: Awaited<ReturnType<typeof shipLogs>>;
  readonly states: ShippingState[];
}

/** Ships until the mesh has everything, then stops. */
async function ship(log: ShippingDeps['log'], line: MeshEndpoint, more: Partial<ShippingDeps> = {}): Promise<Run> {
  const stop = new AbortController();
  const states: ShippingState[] = [];
  let looks = 0;
  const end = await shipLogs(
    {
      log,
      line,
      meshKey: MESH_KEY,
      clock: () => T0,
      random: () => 0.5,
      pause: async () => {
        if (++looks > 500) throw new Error('it does not come to an end');
      },
      onState: (state) => {
        states.push(state);
        if (state.kind === 'current' && state.seq === log.bounds().head.seq) stop.abort();
      },
      ...more,
    },
    stop.signal,
  );
  return { end, states };
}

async function held(mesh: TestMesh): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let after = 0; ; after += 500) {
    const rows = await mesh.store.logs.read({ after, limit: 500 });
    found.push(...rows.map(({ text }) => JSON.parse(text) as Entry));
    if (rows.length < 500) return found;
  }
}

const answered = (): Fate => 'answered';

describe('shipping', () => {
  test('in batches, in order, each entry as it is here; the countersignature is kept', async () => {
    const mesh = await TestMesh.start();
    const state = stateWith(700);
    const { end, states } = await ship(state, lineTo(mesh, answered));
    expect(end).toBeNull();
    expect(await held(mesh)).toEqual([...state.entries({})]);
    expect(states.at(-1)).toEqual({ kind: 'current', seq: 700 });
    const kept = state.archive.statements('checkpoint').map((text) => readStatement(Buffer.from(text)));
    expect(kept.map(({ statement }) => statement)).toMatchObject([{ seq: 700, log_id: state.logId }]);
    expect(isSignedBy(kept[0]!, [MESH_KEY])).toBe(true);
  });

  test('has the tree cosigned once the mesh holds all, soon again where it was not, and ends where it must not go on', async () => {
    const mesh = await TestMesh.start();
    const answers = ['again', 'again', 'done', { kind: 'log_changed', message: 'Another history.' }] as const;
    let [now, asked] = [T0, 0];
    const at: number[] = [];
    const state = stateWith(250);
    const { end } = await ship(state, lineTo(mesh, answered), {
      clock: () => now,
      pause: () => Promise.resolve(void (now += 1_000)),
      onState: () => undefined,
      witness: async () => {
        expect((await held(mesh)).length).toBe(250);
        at.push((now - T0) / 1_000);
        return answers[asked++]!;
      },
    });
    expect(end).toEqual(answers[3]);
    expect(at.map((each) => each - at[0]!)).toEqual([0, 10, 30, 630]);
  });

  test('goes on where the mesh stands, whoever shipped before', async () => {
    const mesh = await TestMesh.start();
    const state = stateWith(3);
    await ship(state, lineTo(mesh, answered));
    append(state, 4);
    const sizes: number[] = [];
    const line = lineTo(mesh, answered);
    const counting: MeshEndpoint = {
      ...line,
      ask: (call) => {
        sizes.push((JSON.parse(Buffer.from(call.body!).toString()) as { entries: unknown[] }).entries.length);
        return line.ask(call);
      },
    };
    await ship(state, counting);
    expect(sizes).toEqual([0, 4]);
    expect(await held(mesh)).toEqual([...state.entries({})]);
  });

  test('whatever is lost on the way, the mesh ends with every entry once', async () => {
    const fate = fc.constantFrom<Fate>('answered', 'lost', 'unanswered', 'busy', 'astray', 'portal', 'garbled');
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 30 }), async (fates) => {
        const mesh = await TestMesh.start();
        const v = new TestVerifier('v-1');
        v.log(...Array.from({ length: 620 }, () => ({})));
        const log = memoryLog(v);
        let i = 0;
        await ship(
          log,
          lineTo(mesh, () => fates[i++] ?? 'answered'),
        );
        expect((await held(mesh)).map((entry) => entry.seq)).toEqual(v.entries.map((entry) => entry.seq));
      }),
      { numRuns: 40 },
    );
  });

  test('a mesh that came back from an older backup is sent again what it lost', async () => {
    const [before, after] = [await TestMesh.start(), await TestMesh.start()];
    const v = new TestVerifier('v-1');
    v.log({}, {}, {}, {});
    await put(after, v, 2);
    let now = lineTo(before, answered);
    const log = memoryLog(v);
    const stop = new AbortController();
    let looks = 0;
    const onState = (state: ShippingState): void => {
      if (state.kind !== 'current') return;
      if (state.seq === 5) stop.abort();
      else v.log({});
      now = lineTo(after, answered);
    };
    const pause = async (): Promise<void> => {
      if (++looks > 50) stop.abort();
    };
    const line: MeshEndpoint = { url: 'http://mesh.test', ask: (call) => now.ask(call) };
    const deps = { log, line, meshKey: MESH_KEY, clock: () => T0, random: () => 0.5, pause, onState };
    expect(await shipLogs(deps, stop.signal)).toBeNull();
    expect((await held(after)).map((entry) => entry.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('two that ship one log at once do no harm', async () => {
    const mesh = await TestMesh.start();
    const state = stateWith(900);
    await Promise.all([ship(state, lineTo(mesh, answered)), ship(state, lineTo(mesh, answered))]);
    expect((await held(mesh)).map((entry) => entry.seq)).toEqual(Array.from({ length: 900 }, (_, i) => i + 1));
  });

  test('a very large entry goes alone, and goes', async () => {
    const mesh = await TestMesh.start();
    const state = stateWith(2);
    state.transact((ledger) => ledger.append(draft({ params: { text: '\u0001'.repeat(30_000) } })));
    append(state, 2);
    expect((await ship(state, lineTo(mesh, answered))).end).toBeNull();
    expect(await mesh.store.logs.head()).toBe(5);
  });

  test('a log that is pruned just when it is compared is not called changed', async () => {
    const mesh = await TestMesh.start();
    const state = stateWith(5);
    await ship(state, lineTo(mesh, answered));
    const { logId, verifier, archive } = state;
    const pruned = (query: Parameters<SqliteState['records']>[0]) => {
      const { after, head } = state.bounds();
      if (after.seq === 0) archive.moveBase(after, head, '{}', []);
      return state.records(query);
    };
    const log = { logId, verifier, archive, records: pruned, bounds: () => state.bounds() };
    expect((await ship(log, lineTo(mesh, answered))).end).toBeNull();
    expect(state.bounds().after.seq).toBe(5);
  });

  test.each([
    ['cut', 'log_cut', (v: TestVerifier): void => void v.entries.pop(), /entries 5 to 5 .* missing here/],
    [
      'written anew',
      'log_changed',
      (v: TestVerifier): void => {
        v.entries.length = 2;
        v.log({ action: 'forged' }, {}, {}, {});
      },
      /Entry 5 .* not the one/,
    ],
  ] as const)('a log that was %s after it was shipped is noticed', async (_, kind, change, message) => {
    const mesh = await TestMesh.start();
    const v = new TestVerifier('v-1');
    v.log({}, {}, {}, {}, {});
    await ship(memoryLog(v), lineTo(mesh, answered));
    change(v);
    const { end } = await ship(memoryLog(v), lineTo(mesh, answered));
    expect(end).toMatchObject({ kind });
    expect(end!.message).toMatch(message);
    expect(await mesh.store.logs.head()).toBe(5);
  });

  test('what was pruned before the mesh had it is said', async () => {
    const mesh = await TestMesh.start();
    const v = new TestVerifier('v-1');
    v.log({}, {}, {}, {}, {});
    await put(mesh, v, 2);
    const { end } = await ship(memoryLog(v, 4), lineTo(mesh, answered));
    expect(end).toEqual({ kind: 'log_pruned', message: 'Entries 3 to 4 were pruned here before the mesh had them.' });
  });

  test('a log that was pruned before it met the mesh begins where it begins', async () => {
    const mesh = await TestMesh.start();
    const v = new TestVerifier('v-1');
    v.log({}, {}, {}, {}, {});
    expect((await ship(memoryLog(v, 3), lineTo(mesh, answered))).end).toBeNull();
    expect((await held(mesh)).map((entry) => entry.seq)).toEqual([4, 5]);
  });

  test('an impostor is told nothing more', async () => {
    const impostor = await TestMesh.start({ sign: () => 'ab'.repeat(64) });
    const v = new TestVerifier('v-1');
    v.log({}, {});
    await put(impostor, v, 1);
    const { end } = await ship(memoryLog(v), lineTo(impostor, answered));
    expect(end).toMatchObject({ kind: 'distrusted' });
    expect(await impostor.store.logs.head()).toBe(1);
  });

  test('a key that may not ship ends it', async () => {
    const mesh = await TestMesh.start();
    await mesh.store.keys.revoke(mesh.keys.verifier.keyId, 1);
    const { end } = await ship(stateWith(1), lineTo(mesh, answered));
    expect(end).toMatchObject({ kind: 'refused' });
  });
});

/** Puts the first `count` entries into the mesh. */
async function put(mesh: TestMesh, v: TestVerifier, count: number): Promise<void> {
  const answer = await mesh.ask('POST', '/v1/logs', 'verifier', v.shipment(0, v.entries.slice(0, count)));
  expect(answer.status).toBe(200);
}

/** The verifier's log without its first `pruned` entries. */
function memoryLog(v: TestVerifier, pruned = 0): ShippingDeps['log'] {
  const after: Link = pruned === 0 ? { seq: 0, hash: '0'.repeat(64) } : v.entries[pruned - 1]!;
  return {
    logId: v.logId,
    verifier: v.verifier,
    records: ({ afterSeq = 0 }) => v.entries.filter(({ seq }) => seq > Math.max(afterSeq, pruned)),
    bounds: () => ({ after, head: v.head }),
    archive: { addCheckpoint: () => undefined },
  };
}

describe('what the fleet did', () => {
  test('counts and scores as on one machine, whatever order the logs arrive in', async () => {
    const mesh = await TestMesh.start();
    const conduct = fleetConduct({ logs: mesh.store.logs, pause: () => Promise.resolve() });
    const [one, two] = [new TestVerifier('v-1'), new TestVerifier('v-2')];
    one.log(...Array.from({ length: 21 }, (_, i) => ({ at: T0 + i })), { at: T0 + 30, error_code: 'AIP-E202' });
    const another = { error_code: 'AIP-E203', intent_hash: `sha256:${'b'.repeat(64)}` };
    two.log({ at: T0 + 40, ...another }, { at: T0 + 50, error_code: 'AIP-E101' }, { agent_id: OTHER });
    await put(mesh, one, 22);
    expect((await conduct.agents(T0))[0]).toMatchObject({ successful: 21, failed: 1 });
    await put(mesh, two, 3);
    const found = await conduct.agents(T0 + 1000);
    const agent = found.find(({ agentId }) => agentId === AGENT);
    // 0.5 + 21 * 0.01 - 2 * 0.05; what anyone could have sent counts for nothing.
    expect(agent).toMatchObject({ successful: 21, failed: 2, unattributed: 1, trust: 0.61, trustMeaningful: true });
    expect(agent!.hours.at(-1)).toEqual([21, 3]);
    expect(agent!.hours).toHaveLength(24);
  });

  test('holds an agent to a refused intent once, however many verifiers it is taken to', async () => {
    const mesh = await TestMesh.start();
    const conduct = fleetConduct({ logs: mesh.store.logs, pause: () => Promise.resolve() });
    const intent = { error_code: 'AIP-E202', intent_hash: `sha256:${'a'.repeat(64)}` };
    const another = { ...intent, intent_hash: `sha256:${'b'.repeat(64)}` };
    for (let i = 1; i <= 5; i++) {
      const v = new TestVerifier(`v-${i}`);
      v.log({ at: T0 + i, ...intent }, ...(i === 5 ? [{ at: T0 + 9, ...another }] : []));
      await put(mesh, v, v.entries.length);
    }
    // 0.5 - 2 * 0.05
    expect(await conduct.agents(T0 + 1000)).toMatchObject([{ failed: 2, unattributed: 4, trust: 0.4 }]);
  });

  test('counts no refusal that a guard only looked on at, nor takes one whose member was changed', async () => {
    const mesh = await TestMesh.start();
    const conduct = fleetConduct({ logs: mesh.store.logs, pause: () => Promise.resolve() });
    const v = new TestVerifier('v-1');
    v.log({ at: T0 });
    await put(mesh, v, 1);
    const before = await conduct.agents(T0 + 1000);
    v.log(...Array.from({ length: 20 }, (_, i) => ({ at: T0 + i, error_code: 'AIP-E202', observed: true as const })));
    const { observed: _, ...forged } = v.entries[1]!;
    const changes = [forged, { ...forged, observed: false }, { ...v.entries[1]!, status: 'success' }];
    for (const entry of changes) {
      const { status } = await mesh.ask('POST', '/v1/logs', 'verifier', v.shipment(0, [v.entries[0]!, entry as Entry]));
      expect(status).toBe(400);
    }
    await put(mesh, v, 21);
    expect((await held(mesh)).filter(({ observed }) => observed === true)).toHaveLength(20);
    expect(await conduct.agents(T0 + 1000)).toEqual(before);
    expect([...mesh.server.decisions.counts()]).toEqual([{ result: 'accepted', code: '', count: 1 }]);
  });

  test('counts how accepted actions ended, by the word of their callers alone, and leaves trust as it is', async () => {
    const mesh = await TestMesh.start();
    const conduct = fleetConduct({ logs: mesh.store.logs, pause: () => Promise.resolve() });
    const v = new TestVerifier('v-1');
    v.log(...Array.from({ length: 5 }, (_, i) => ({ at: T0 + i })), { at: T0 + 5, error_code: 'AIP-E202' });
    await put(mesh, v, 6);
    const [before] = await conduct.agents(T0 + 1000);
    expect(before!.outcomes).toEqual({ ok: 0, error: 0, unknown: 5 });
    v.outcome(1, 'ok');
    v.outcome(2, 'ok', { claimed: true });
    v.outcome(3, 'error', { exit_code: 1, released: true });
    v.outcome(4, 'unknown');
    v.outcome(4, 'ok');
    v.outcome(5, 'maybe' as never);
    v.outcome(5, 'ok', { agent_id: OTHER });
    await put(mesh, v, v.entries.length);
    const found = await conduct.agents(T0 + 1000);
    expect(found).toEqual([{ ...before, outcomes: { ok: 2, error: 1, unknown: 2 } }]);
    await put(mesh, v, v.entries.length);
    expect(await conduct.agents(T0 + 1000)).toEqual(found);
  });

  test('shows the last hours, also when the clock of a verifier ran ahead', async () => {
    const mesh = await TestMesh.start();
    const conduct = fleetConduct({ logs: mesh.store.logs, pause: () => Promise.resolve() });
    const HOUR = 3_600_000;
    const [right, ahead] = [new TestVerifier('v-1'), new TestVerifier('v-2')];
    right.log(...Array.from({ length: 60 }, (_, i) => ({ at: T0 - (59 - i) * HOUR })));
    ahead.log({ at: T0 + 100 * HOUR });
    await put(mesh, ahead, 1);
    await put(mesh, right, 60);
    const [agent] = await conduct.agents(T0);
    expect(agent!.hours).toEqual(Array.from({ length: 24 }, () => [1, 0]));
    right.log(...Array.from({ length: 30 }, (_, i) => ({ at: T0 + (i + 1) * HOUR })));
    await put(mesh, right, 90);
    const [later] = await conduct.agents(T0 + 30 * HOUR);
    expect(later!.hours).toEqual(Array.from({ length: 24 }, () => [1, 0]));
  });
});

describe('aip logs tail --mesh', () => {
  async function fleet(): Promise<{ net: NetworkMesh; at: World; dir: string; v: TestVerifier }> {
    const net = await network();
    onTestFinished(() => net.close());
    const v = new TestVerifier('v-1');
    v.log({}, { error_code: 'AIP-E202' }, { agent_id: OTHER });
    const w = new TestVerifier('v-2');
    w.log({ agent_id: OTHER, error_code: 'AIP-E401', error_message: 'AGENT_REVOKED' });
    for (const each of [v, w]) expect((await net.post('verifier', '/v1/logs', each.shipment())).status).toBe(200);
    const at = world({ stdin: '', env: { AIP_MESH_KEY: net.mesh.keys.observer.text } });
    const dir = join(at.cwd, 'home');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ mesh: { url: net.url, public_key: MESH_PUBLIC_KEY } }));
    return { net, at, dir, v };
  }
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry);
  const found = (text: string) => lines(text).map(({ verifier, seq }) => `${verifier}:${seq}`);

  test.each([
    [[], ['v-1:1', 'v-1:2', 'v-1:3', 'v-2:1']],
    [
      ['-n', '2'],
      ['v-1:3', 'v-2:1'],
    ],
    [
      ['--status', 'failed'],
      ['v-1:2', 'v-2:1'],
    ],
    [
      ['--agent', OTHER],
      ['v-1:3', 'v-2:1'],
    ],
    [['--code', 'E202'], ['v-1:2']],
    [['--grep', 'revoked'], ['v-2:1']],
    [['--action', 'issue_refund', '-n', '1'], ['v-2:1']],
    [['--since', new Date(T0 + 1).toISOString()], []],
    [
      ['--until', new Date(T0 + 1).toISOString()],
      ['v-1:1', 'v-1:2', 'v-1:3', 'v-2:1'],
    ],
    [['-n', '0'], []],
  ])('%j', async (flags, expected) => {
    const { at, dir } = await fleet();
    const { code, out, err } = await at.run('logs', 'tail', '--mesh', '--home', dir, '--json', ...flags);
    expect([code, err]).toEqual([0, '']);
    expect(found(out)).toEqual(expected);
  });

  test('follows, and goes on after the mesh was away without loss or repeat', async () => {
    const { net, at, dir, v } = await fleet();
    const running = at.run('logs', 'tail', '--mesh', '-f', '-n', '1', '--home', dir, '--json');
    await until(() => at.out().includes('AIP-E401'), 'the newest is shown');
    const more = v.log({ action: 'while_live' });
    await net.post('verifier', '/v1/logs', { ...v.shipment(), entries: more });
    await until(() => at.out().includes('while_live'), 'a live entry is shown');
    const { port } = net.listening;
    await net.listening.close();
    await until(() => at.err().includes('reconnecting'), 'it says that it reconnects');
    // Another process of the same mesh, which took an entry meanwhile.
    const again = await network({ store: net.mesh.store }, port);
    onTestFinished(() => again.close());
    await again.post('verifier', '/v1/logs', { ...v.shipment(), entries: v.log({ action: 'while_away' }) });
    await until(() => at.out().includes('while_away'), 'what was missed is shown');
    at.interrupt(130);
    expect((await running).code).toBe(130);
    expect(found(at.out())).toEqual(['v-2:1', 'v-1:4', 'v-1:5']);
  });

  test('ends at the entry that it was told to end at', async () => {
    const { at, dir } = await fleet();
    const { code } = await at.run('logs', 'tail', '--mesh', '-f', '--exit-on', 'revoked', '--home', dir, '--json');
    expect(code).toBe(15);
  });

  test('another log at the same address is a gap, and said', async () => {
    const { net, at, dir } = await fleet();
    const running = at.run('logs', 'tail', '--mesh', '-f', '--home', dir, '--json');
    await until(() => at.out().includes('AIP-E401'), 'the newest is shown');
    const { port } = net.listening;
    await net.listening.close();
    const other = await network({}, port);
    onTestFinished(() => other.close());
    await until(() => at.err().includes('A gap'), 'the gap is said');
    const v = new TestVerifier('v-9');
    v.log({ action: 'elsewhere' });
    await other.post('verifier', '/v1/logs', v.shipment());
    await until(() => at.out().includes('elsewhere'), 'it goes on');
    at.interrupt(130);
    await running;
  });

  test.each([
    ['a mesh that is away', {}, 5, 'AIP-E500'],
    ['a key that is none', { AIP_MESH_KEY: `aipm_observer_${'0'.repeat(12)}_${'0'.repeat(64)}` }, 5, 'UNAUTHENTICATED'],
  ])('%s is a failure with a hint', async (name, env, code, said) => {
    const { net, dir } = await fleet();
    const at = world({ stdin: '', env: { AIP_MESH_KEY: net.mesh.keys.observer.text, ...env } });
    if (name.includes('away')) await net.listening.close();
    const told = await at.run('logs', 'tail', '--mesh', '--home', dir);
    expect([told.code, told.err]).toEqual([code, expect.stringContaining(said)]);
    expect(told.err).toContain('hint:');
  });

  test('two logs at once are a wrong use, and so is --mesh without one', async () => {
    const { at, dir } = await fleet();
    expect((await at.run('logs', 'tail', '--mesh', '--file', '-', '--home', dir)).code).toBe(2);
    const alone = world({ stdin: '' });
    expect((await alone.run('logs', 'tail', '--mesh')).code).toBe(2);
  });
});

describe('aip mesh follow', () => {
  test('ships the log of two machines, and the fleet shows both', async () => {
    const net = await network();
    onTestFinished(() => net.close());
    const machines = await Promise.all(
      [AGENT, OTHER].map(async (agent_id, i) => {
        const key = (await net.post('admin', '/v1/mesh/keys', { role: 'verifier' })).json['key'] as string;
        const at = world({ stdin: '', env: { AIP_MESH_KEY: key } });
        const dir = join(at.cwd, 'home');
        mkdirSync(dir, { recursive: true });
        writeFileSync(
          join(dir, 'config.json'),
          JSON.stringify({ mesh: { url: net.url, public_key: MESH_PUBLIC_KEY } }),
        );
        writePast(
          dir,
          Array.from({ length: 5 + i }, () => ({ agent_id })),
        );
        return { at, dir, running: at.run('mesh', 'follow', '--home', dir) };
      }),
    );
    await until(() => net.mesh.server.feed.head === 11, 'all entries are there');
    writePast(machines[0]!.dir, [{ agent_id: AGENT, action: 'later' }]);
    await until(() => net.mesh.server.feed.head === 12, 'one that was written meanwhile is there');
    const ends = await net.mesh.store.logs.ends(10);
    expect(ends.map(({ seq }) => seq)).toEqual([6, 6]);
    expect(new Set(ends.map(({ verifier }) => verifier)).size).toBe(2);
    for (const { at } of machines) at.interrupt(143);
    for (const { running } of machines) expect((await running).code).toBe(143);
    // What the mesh countersigned is enough to notice a cut end here.
    const { at, dir } = machines[0]!;
    const verified = world({ stdin: '' });
    expect((await verified.run('logs', 'verify', '--home', dir, '--json')).code).toBe(0);
    expect(at.err()).not.toContain('warning');
  });
});
