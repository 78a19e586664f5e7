/** What every memory that verifiers share has to do. `open` opens it once more: all openings are one memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FleetClaim, FleetMemory, Obstacle, SharedRequest } from '../../src/app/ports/fleet-memory.js';
import { traitsOf } from '../../src/protocol/constraints/counted-names.js';
import { T0 } from '../kit/state/drafts.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AGENT = 'did:web:acme.com:agents:a';

let drawn = 0;

/** A claim that nothing stands in the way of, unless `changes` say so. */
export function claim(
  changes: Partial<FleetClaim> & { readonly amount?: bigint; readonly action?: string } = {},
): FleetClaim {
  const { amount = 10n, action = 'refund', ...rest } = changes;
  return {
    agentId: AGENT,
    nonce: (++drawn).toString(16).padStart(32, '0'),
    intentHash: `sha256:${drawn.toString(16).padStart(64, '0')}`,
    keepUntil: T0 + HOUR,
    keepMs: 600_000,
    since: T0 - 60_000,
    at: null,
    obstacles: [],
    free: {
      spendsAs: 'accepted',
      usage: { action, traits: traitsOf(action), currency: 'USD', amountMinor: amount },
      request: null,
      release: null,
    },
    raises: null,
    looks: false,
    ...rest,
  };
}

export const sum = (limit: bigint, asked = 10n, spendsAs: string | null = 'AIP-E212'): Obstacle => ({
  kind: 'meter',
  meter: { kind: 'sum', currency: 'USD', windowMs: DAY, asked, limit },
  spendsAs,
});
export const count = (
  limit: number,
  {
    actions = null,
    word = null,
    windowMs = HOUR,
  }: { actions?: readonly string[] | null; word?: string | null; windowMs?: number } = {},
): Obstacle => ({ kind: 'meter', meter: { kind: 'count', actions, word, windowMs, limit }, spendsAs: 'AIP-E205' });

export interface FleetSetting {
  readonly open: () => FleetMemory;
  readonly setClock: (ms: number) => Promise<void>;
  /** Lets the requests of a verifier with this public key count, or no longer. */
  readonly enroll: (key: string, is: boolean) => Promise<void>;
}

export function fleetMemoryContract(name: string, start: () => Promise<FleetSetting>): void {
  const one = async (memory: FleetMemory, each: FleetClaim) => (await memory.settle([each], false)).claims[0]!;

  describe(`${name}: settling`, () => {
    test('a nonce counts once, whoever asks', async () => {
      const { open } = await start();
      const [a, b] = [open(), open()];
      const first = claim();
      expect(await one(a, first)).toEqual({
        spentAs: 'accepted',
        before: null,
        forgottenUntil: 0,
        readings: [],
        raised: null,
      });
      const before = { firstSeenAt: T0, firstResult: 'accepted' };
      for (const memory of [a, b])
        expect(await one(memory, { ...first, obstacles: [sum(1n)] })).toEqual({
          spentAs: null,
          before,
          forgottenUntil: 0,
          readings: [],
          raised: null,
        });
      expect((await one(b, { ...first, agentId: `${AGENT}2` })).spentAs).toBe('accepted');
    });
    test('a limit holds for all together, to the last place', async () => {
      const { open } = await start();
      const memories = [open(), open()];
      const found = await Promise.all(
        Array.from({ length: 20 }, (_, i) => one(memories[i % 2]!, claim({ obstacles: [count(7)] }))),
      );
      expect(found.filter(({ spentAs }) => spentAs === 'accepted')).toHaveLength(7);
      expect(found.filter(({ spentAs }) => spentAs === 'AIP-E205')).toHaveLength(13);
      expect((await one(memories[0]!, claim({ obstacles: [count(7)], looks: true }))).readings).toEqual([
        { kind: 'count', used: 7, roomAt: T0 + HOUR },
      ]);
    });
    test('claims of one call are settled in order, each after the one before', async () => {
      const { open } = await start();
      const { claims } = await open().settle(
        [20n, 20n, 10n].map((amount) => claim({ amount, obstacles: [sum(30n, amount)] })),
        false,
      );
      expect(claims.map(({ spentAs, readings }) => [spentAs, readings])).toEqual([
        ['accepted', [{ kind: 'sum', spent: 0n }]],
        ['AIP-E212', [{ kind: 'sum', spent: 20n }]],
        ['accepted', [{ kind: 'sum', spent: 20n }]],
      ]);
    });
    test('of several that stand in the way the first says what is spent; null spends nothing', async () => {
      const { open } = await start();
      const memory = open();
      await one(memory, claim({ amount: 30n }));
      expect((await one(memory, claim({ obstacles: [count(5), sum(30n), count(1)] }))).spentAs).toBe('AIP-E212');
      const free = claim({ obstacles: [sum(30n, 10n, null), count(1)] });
      expect((await one(memory, free)).spentAs).toBeNull();
      expect((await one(memory, { ...free, obstacles: [] })).spentAs).toBe('accepted');
    });
    test('a refusal that is spent counts nothing, a look neither', async () => {
      const { open } = await start();
      const memory = open();
      const refused = claim({ free: { spendsAs: 'AIP-E401', usage: null, request: null, release: null } });
      expect((await one(memory, { ...refused, looks: true })).spentAs).toBeNull();
      expect((await one(memory, claim({ looks: true }))).spentAs).toBeNull();
      expect((await one(memory, refused)).spentAs).toBe('AIP-E401');
      expect((await one(memory, refused)).before).toEqual({ firstSeenAt: T0, firstResult: 'AIP-E401' });
      expect((await one(memory, claim({ obstacles: [sum(10n), count(1)] }))).spentAs).toBe('accepted');
    });
    test('a request for approval is used once, whoever holds it', async () => {
      const { open } = await start();
      const [a, b] = [open(), open()];
      const asks: Obstacle = { kind: 'request', id: 'r'.repeat(32), spendsAs: null };
      const approved = () => {
        const made = claim({ obstacles: [asks] });
        return { ...made, free: { ...made.free!, request: 'r'.repeat(32) } };
      };
      expect(await one(a, approved())).toMatchObject({
        spentAs: 'accepted',
        readings: [{ kind: 'request', spent: false }],
      });
      expect(await one(b, approved())).toMatchObject({ spentAs: null, readings: [{ kind: 'request', spent: true }] });
    });
    test('windows end where --at says, nonces go by the clock', async () => {
      const { open, setClock } = await start();
      const memory = open();
      await one(memory, claim({ at: T0 - 2 * HOUR }));
      expect((await one(memory, claim({ obstacles: [count(1)] }))).spentAs).toBe('accepted');
      expect((await one(memory, claim({ at: T0 - 2 * HOUR, obstacles: [count(2)] }))).spentAs).toBe('AIP-E205');
      await setClock(T0 + HOUR);
      expect((await one(memory, claim({ obstacles: [count(1)] }))).spentAs).toBe('accepted');
    });
    test('sums go beyond what a double or 64 bits hold', async () => {
      const { open } = await start();
      const memory = open();
      const large = 2n ** 63n - 1n;
      for (let i = 0; i < 3; i++) await one(memory, claim({ amount: large }));
      const found = await one(memory, claim({ obstacles: [sum(3n * large + 9n)] }));
      expect(found).toMatchObject({ spentAs: 'AIP-E212', readings: [{ kind: 'sum', spent: 3n * large }] });
      expect((await one(memory, claim({ obstacles: [sum(3n * large + 10n)] }))).spentAs).toBe('accepted');
    });
    test.each([
      ['order', 'place_order', true],
      ['order', 'placeOrders', true],
      ['order', 'PLACEORDER', true],
      ['order', 'cancel_order', false],
      ['cancel_order', 'cancel_order', true],
      ['order', 'border_check', false],
      ['order', 'reorder', false],
      ['pay', 'repay', false],
      ['api_call', 'makeAPICalls', true],
      ['api_call', 'call_api', false],
      ['email', 'send_e_mail', true],
      ['send_email', 'send_e_mail', true],
      ['100%', 'place_order', false],
      ["o'rder", 'place_order', false],
    ])('the word %s in %s: %s', async (word, action, holds) => {
      const { open } = await start();
      const memory = open();
      await one(memory, claim({ action }));
      expect((await one(memory, claim({ obstacles: [count(9, { word })], looks: true }))).readings).toEqual([
        { kind: 'count', used: holds ? 1 : 0, roomAt: null },
      ]);
    });
  });
}

const KEY = `ed25519:${'ab'.repeat(32)}`;
const OTHER = `ed25519:${'cd'.repeat(32)}`;

/** A claim whose document wants a person's word. */
function asks(
  id: string,
  changes: Partial<NonNullable<FleetClaim['raises']>> & { readonly obstacles?: Obstacle[] } = {},
) {
  const { obstacles = [], ...more } = changes;
  const raises = {
    id: id.repeat(32),
    verifier: KEY,
    actionHash: `sha256:${'1'.repeat(64)}`,
    agentId: AGENT,
    expiresAt: T0 + HOUR,
    ttlMs: HOUR,
    text: `{"request":"${id}"}`,
    ...more,
  };
  return claim({ agentId: raises.agentId, free: null, raises, obstacles });
}

/** Requests for approval, and places in limits that are given back. */
export function sharedRequestsContract(name: string, start: () => Promise<FleetSetting>): void {
  const one = async (memory: FleetMemory, each: FleetClaim) => (await memory.settle([each], false)).claims[0]!;
  const enrolled = async () => {
    const setting = await start();
    await setting.enroll(KEY, true);
    return { ...setting, a: setting.open(), b: setting.open() };
  };
  const kept = (id: string, changes: Partial<SharedRequest> = {}): SharedRequest => ({
    id: id.repeat(32),
    verifier: KEY,
    text: `{"request":"${id}"}`,
    spent: null,
    deniedAt: null,
    answers: [],
    ...changes,
  });
  const answers = (id: string, text: string, until: number | null) => [{ requestId: id.repeat(32), text, until }];

  describe(`${name}: requests for approval`, () => {
    test('one that an enrolled verifier raised is there for all, and an action has one', async () => {
      const { a, b } = await enrolled();
      const first = asks('a');
      expect(await one(a, first)).toMatchObject({ spentAs: null, raised: { kind: 'kept' } });
      expect(await one(b, asks('b'))).toMatchObject({ spentAs: null, raised: { kind: 'found', request: kept('a') } });
      // Asked again, as after an answer that was lost.
      expect((await one(a, first)).raised).toEqual({ kind: 'kept' });
      expect((await one(b, asks('b', { actionHash: `sha256:${'2'.repeat(64)}` }))).raised).toEqual({ kind: 'kept' });
      expect(await b.requests(['a'.repeat(32), 'f'.repeat(32)])).toEqual([kept('a')]);
      // Who is not enrolled raises none, and goes by those that are there.
      expect((await one(b, asks('c', { verifier: OTHER }))).raised).toMatchObject({
        kind: 'found',
        request: kept('a'),
      });
    });
    test('one of a verifier that is not enrolled, or no longer, is not shared', async () => {
      const { a, b, enroll } = await enrolled();
      expect((await one(a, asks('a', { verifier: OTHER }))).raised).toBeNull();
      expect(await b.requests(['a'.repeat(32)])).toEqual([]);
      expect((await one(a, asks('b'))).raised).toEqual({ kind: 'kept' });
      await enroll(KEY, false);
      expect(await b.requests(['b'.repeat(32)])).toEqual([]);
      await enroll(OTHER, true);
      expect((await one(b, asks('c', { verifier: OTHER }))).raised).toEqual({ kind: 'kept' });
    });
    test('nothing is raised where something else stands in the way, or by a look', async () => {
      const { a } = await enrolled();
      await one(a, claim());
      expect(await one(a, asks('a', { obstacles: [count(1)] }))).toMatchObject({ spentAs: 'AIP-E205', raised: null });
      expect((await one(a, { ...asks('b'), looks: true })).raised).toBeNull();
      const spent = claim();
      await one(a, spent);
      expect((await one(a, { ...asks('c'), nonce: spent.nonce })).raised).toBeNull();
      expect(await a.requests(['a', 'b', 'c'].map((id) => id.repeat(32)))).toEqual([]);
    });
    test('of many that race to raise it, one has raised it', async () => {
      const { a, b } = await enrolled();
      const found = await Promise.all([...'0123456789abcdef'].map((id, i) => one(i % 2 === 0 ? a : b, asks(id))));
      expect(found.filter(({ raised }) => raised?.kind === 'kept')).toHaveLength(1);
      expect(new Set(found.flatMap(({ raised }) => (raised?.kind === 'found' ? [raised.request.id] : []))).size).toBe(
        1,
      );
    });
    test('an answer is kept once, an approval keeps the request open, a denial ends it for as long as it stands', async () => {
      const { a, b, setClock } = await enrolled();
      await one(a, asks('a'));
      for (let i = 0; i < 2; i++) await b.answer(answers('a', '"yes"', T0 + 2 * HOUR));
      await b.answer(answers('f', '"to nothing"', T0));
      expect(await a.requests(['a'.repeat(32)])).toEqual([kept('a', { answers: ['"yes"'] })]);
      await setClock(T0 + HOUR - 1);
      await b.answer(answers('a', '"again"', T0 + 5 * HOUR));
      await setClock(T0 + 2 * HOUR - 2);
      expect((await one(b, asks('b'))).raised).toMatchObject({ kind: 'found', request: { id: 'a'.repeat(32) } });
      await b.answer(answers('a', '"no"', null));
      await setClock(T0 + 3 * HOUR - 3);
      expect((await one(b, asks('b'))).raised).toEqual({
        kind: 'found',
        request: kept('a', { deniedAt: T0 + 2 * HOUR - 2, answers: ['"yes"', '"again"', '"no"'] }),
      });
      await setClock(T0 + 3 * HOUR - 2);
      expect((await one(b, asks('b'))).raised).toEqual({ kind: 'kept' });
    });
    test('one that is used up is said to be, and the next asking raises another', async () => {
      const { a, b } = await enrolled();
      await one(a, asks('a'));
      const obstacle: Obstacle = { kind: 'request', id: 'a'.repeat(32), spendsAs: null };
      const runs = () => {
        const made = claim({ obstacles: [obstacle] });
        return { ...made, free: { ...made.free!, request: 'a'.repeat(32) } };
      };
      const both = [runs(), runs()];
      const found = await Promise.all([one(a, both[0]!), one(b, both[1]!)]);
      expect(found.map(({ spentAs }) => spentAs).toSorted()).toEqual(['accepted', null]);
      const ran = both[found.findIndex(({ spentAs }) => spentAs === 'accepted')]!;
      expect(await b.requests(['a'.repeat(32)])).toEqual([
        kept('a', { spent: { at: T0, intentHash: ran.intentHash } }),
      ]);
      expect((await one(b, asks('b'))).raised).toEqual({ kind: 'kept' });
    });
    test('twenty wait for one agent, and the next is not kept', async () => {
      const { a, b, setClock } = await enrolled();
      const hash = (i: number) => `sha256:${String(i).padStart(64, '0')}`;
      const ids = Array.from({ length: 22 }, (_, i) => String.fromCharCode(97 + i));
      for (const [i, id] of ids.slice(0, 20).entries())
        expect((await one(a, asks(id, { actionHash: hash(i) }))).raised, id).toEqual({ kind: 'kept' });
      expect((await one(b, asks(ids[20]!, { actionHash: hash(20) }))).raised).toEqual({
        kind: 'full',
        agent: 20,
        all: 20,
      });
      const other = asks(ids[20]!, { actionHash: hash(20), agentId: `${AGENT}2` });
      expect((await one(b, other)).raised).toEqual({ kind: 'kept' });
      await setClock(T0 + HOUR);
      expect((await one(b, asks(ids[21]!, { actionHash: hash(21) }))).raised).toEqual({ kind: 'kept' });
    });
  });

  describe(`${name}: places in a daily limit`, () => {
    const counted = (token: string, amount = 10n, mostMinor = 100n) => {
      const made = claim({ amount });
      return { ...made, free: { ...made.free!, release: { token: token.repeat(32), mostMinor } } };
    };
    const spent = async (memory: FleetMemory) =>
      (await one(memory, claim({ obstacles: [sum(0n), count(99)], looks: true }))).readings;

    test('are given back once under the token of the decision; how often it acted stays', async () => {
      const { a, b, setClock } = await enrolled();
      await one(a, counted('a', 30n));
      await one(a, counted('b', 30n));
      await one(a, claim({ amount: 7n }));
      for (let i = 0; i < 2; i++) expect(await b.release('a'.repeat(32))).toBe('released');
      expect(await spent(a)).toMatchObject([{ spent: 37n }, { used: 3 }]);
      for (const unknown of ['c'.repeat(32), '', "'"]) expect(await a.release(unknown)).toBe('unknown');
      // Hours on, where whole hours and minutes are added up.
      await setClock(T0 + 5 * HOUR);
      expect(await spent(a)).toMatchObject([{ spent: 37n }, { used: 0 }]);
      expect(await a.release('b'.repeat(32))).toBe('released');
      expect(await spent(a)).toMatchObject([{ spent: 7n }, { used: 0 }]);
    });
    test('are not given back after a day, nor more than one limit in a day', async () => {
      const { a, setClock } = await enrolled();
      for (const token of 'abcd') await one(a, counted(token, 40n));
      expect(await a.release('a'.repeat(32))).toBe('released');
      expect(await a.release('b'.repeat(32))).toBe('released');
      expect(await a.release('c'.repeat(32))).toBe('most');
      expect(await spent(a)).toMatchObject([{ spent: 80n }, {}]);
      await setClock(T0 + DAY);
      expect(await a.release('d'.repeat(32))).toBe('late');
    });
    test('of what a limit refused nothing is given back', async () => {
      const { a } = await enrolled();
      const refused = { ...counted('a'), obstacles: [sum(5n)] };
      expect((await one(a, refused)).spentAs).toBe('AIP-E212');
      expect(await a.release('a'.repeat(32))).toBe('unknown');
    });
  });
}

const ACTIONS = ['pay', 'place_order', 'placeOrders', 'cancel_order', 'refund', 'preorder'];

/** Random claims at random times, for two memories that are to give the same answers. */
export const histories = fc.array(
  fc.record({
    wait: fc.constantFrom(0, 1, 999, 59_999, 60_000, 61_001, HOUR - 1, HOUR, DAY - 1, DAY),
    opening: fc.constantFrom(0, 1),
    claims: fc.array(
      fc.record({
        agentId: fc.constantFrom(AGENT, `${AGENT}2`),
        repeat: fc.boolean(),
        action: fc.constantFrom(...ACTIONS),
        amount: fc.bigInt({ min: 0n, max: 40n }),
        looks: fc.constantFrom(false, false, false, true),
        spends: fc.constantFrom('accepted', 'accepted', 'accepted', 'AIP-E401', null),
        obstacles: fc.array(
          fc.oneof(
            fc
              .record({ limit: fc.bigInt({ min: 0n, max: 200n }) })
              .map(({ limit }) => ({ limit, spendsAs: 'AIP-E212' as string | null })),
            fc.record({
              limit: fc.integer({ min: 1, max: 6 }),
              actions: fc.option(fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 3 })),
              word: fc.option(fc.constantFrom('order', 'pay', 'cancel_order', 'refund')),
              windowMs: fc.constantFrom(1000, 60_000, HOUR, DAY),
            }),
          ),
          { maxLength: 3 },
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

/** The calls of a history. */
export function callsOf(
  history: History,
): { readonly at: number; readonly opening: number; readonly claims: FleetClaim[] }[] {
  let at = T0;
  const nonces: string[] = [];
  return history.map((step) => {
    at += step.wait;
    const claims = step.claims.map(({ agentId, repeat, action, amount, looks, spends, obstacles }, i): FleetClaim => {
      const known = nonces[(nonces.length + i) % Math.max(1, nonces.length)];
      const made = claim({
        agentId,
        amount,
        action,
        looks,
        keepUntil: at + HOUR,
        since: at - 60_000,
        obstacles: obstacles.map((each) =>
          'word' in each ? count(each.limit, each) : { ...sum(each.limit, amount), spendsAs: each.spendsAs },
        ),
      });
      const nonce = repeat && known !== undefined ? known : made.nonce;
      nonces.push(nonce);
      const free =
        spends === null
          ? null
          : { ...made.free!, spendsAs: spends, usage: spends === 'accepted' ? made.free!.usage : null };
      return { ...made, nonce, free };
    });
    return { at, opening: step.opening, claims };
  });
}
