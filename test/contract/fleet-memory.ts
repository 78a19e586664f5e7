/** What every memory that verifiers share has to do. `open` opens it once more: all openings are one memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FleetClaim, FleetMemory, Obstacle } from '../../src/app/ports/fleet-memory.js';
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
    },
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
}

export function fleetMemoryContract(name: string, start: () => Promise<FleetSetting>): void {
  const one = async (memory: FleetMemory, each: FleetClaim) => (await memory.settle([each], false)).claims[0]!;

  describe(`${name}: settling`, () => {
    test('a nonce counts once, whoever asks', async () => {
      const { open } = await start();
      const [a, b] = [open(), open()];
      const first = claim();
      expect(await one(a, first)).toEqual({ spentAs: 'accepted', before: null, forgottenUntil: 0, readings: [] });
      const before = { firstSeenAt: T0, firstResult: 'accepted' };
      for (const memory of [a, b])
        expect(await one(memory, { ...first, obstacles: [sum(1n)] })).toEqual({
          spentAs: null,
          before,
          forgottenUntil: 0,
          readings: [],
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
      const refused = claim({ free: { spendsAs: 'AIP-E401', usage: null, request: null } });
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
