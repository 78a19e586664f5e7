import { runInNewContext } from 'node:vm';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Failure, VerificationError, type ShieldedFunction } from '../../../src/index.js';
import { inHome } from '../../kit/history.js';
import { AGENT, KEY, refusal, supportAgent, workshop } from '../workshop.js';
import { scratch } from '../../kit/scratch.js';

const LOOSE = { actions: ['pay', 'place_order', 'cancel_order'], constraints: {} };

/** A tool that counts its runs. */
function counter() {
  const runs: unknown[] = [];
  return { runs, tool: (params: Record<string, unknown>) => runs.push(params) };
}

describe('a shielded function', () => {
  test('gets its own arguments and this, and gives its result', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const seen: unknown[] = [];
    const pay = aip.shield(
      { passport: agentId, actions: ['pay'] },
      async function pay(this: unknown, order: { amount: number }) {
        seen.push(this, order);
        return order.amount * 2;
      },
    );
    expectTypeOf(pay).toEqualTypeOf<ShieldedFunction<(order: { amount: number }) => Promise<number>>>();
    const self = { pay };
    const order = { amount: 21 };
    await expect(self.pay(order)).resolves.toBe(42);
    expect(seen[0]).toBe(self);
    // A plain copy of what was verified, that the caller cannot change any more.
    expect(seen[1]).toEqual(order);
    expect(seen[1]).not.toBe(order);
    expect(pay.name).toBe('pay');
  });

  test('does not run when a param that a limit reads is left undefined', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs } = counter();
    const pay = aip.shield(
      { passport: agentId, actions: ['pay'], limit: 20, params: ['order_id', 'amount'] },
      (order: string, amount?: number) => void runs.push([order, amount ?? 1_000_000]),
    );
    expect(await refusal(pay('8472', undefined))).toMatchObject({ code: 'AIP-E208', details: { param: 'amount' } });
    expect(await refusal(pay('8472'))).toMatchObject({ code: 'AIP-E208', details: { bound: 'caller' } });
    expect(runs).toEqual([]);
    await pay('8472', 20);
    expect(runs).toEqual([['8472', 20]]);
  });

  test('does not run when what says the currency is left undefined', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs } = counter();
    const pay = aip.shield(
      { passport: agentId, actions: ['pay'], limit: 20, params: ['amount', 'ccy'] },
      (amount: number, ccy = 'KWD') => void runs.push([amount, ccy]),
    );
    expect(await refusal(pay(5))).toMatchObject({ code: 'AIP-E208', details: { param: 'ccy' } });
    await pay(5, 'USD');
    expect(runs).toEqual([[5, 'USD']]);
  });

  test('runs when a param that no limit reads is left undefined', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs } = counter();
    const pay = aip.shield(
      { passport: agentId, actions: ['pay'], limit: 20, params: ['amount', 'note'] },
      (amount: number, note?: string) => void runs.push([amount, note]),
    );
    await pay(5);
    expect(runs).toEqual([[5, undefined]]);
  });

  test('does not run when refused, and the error tells all', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs, tool } = counter();
    const pay = aip.shield({ passport: agentId, actions: ['pay'], limit: '19.99' }, tool);
    const error = (await refusal(pay({ amount: 20 }))) as VerificationError;
    expect(error).toBeInstanceOf(VerificationError);
    expect(error).toMatchObject({
      name: 'VerificationError',
      code: 'AIP-E202',
      message: 'MONETARY_LIMIT_EXCEEDED',
      reason: '$20.00 asked, $19.99 allowed.',
      details: { requested: 20, limit: 19.99, agent_id: AGENT },
      decision: { success: false, agent_id: AGENT },
    });
    expect(String(error)).toBe('AIP-E202: MONETARY_LIMIT_EXCEEDED. $20.00 asked, $19.99 allowed.');
    expect(runs).toEqual([]);
  });

  test('passes on what the tool itself throws', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const fail = aip.shield({ passport: agentId, actions: ['pay'] }, () => {
      throw new RangeError('no such order');
    });
    await expect(fail()).rejects.toThrow(RangeError);
  });

  test('every call is an intent of its own in the log, also the refused one', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const pay = aip.shield({ passport: agentId, actions: ['pay'], limit: 10 }, counter().tool);
    await pay({ amount: 1 });
    await pay({ amount: 1 });
    await refusal(pay({ amount: 11 }));
    const logs = await aip.getVerificationLogs({ agentId });
    expect(logs.map(({ status, error_code }) => [status, error_code])).toEqual([
      ['failed', 'AIP-E202'],
      ['success', null],
      ['success', null],
    ]);
    expect(new Set(logs.map(({ nonce }) => nonce)).size).toBe(3);
  });

  test('a rate of the shield alone is counted', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs, tool } = counter();
    const options = { passport: agentId, actions: ['place_order'], constraints: { max_orders_per_hour: 2 } };
    const order = aip.shield(options, tool);
    const answers = await Promise.allSettled([order({}), order({}), order({}), order({})]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(runs).toHaveLength(2);
    aip.wait(3601);
    await expect(order({})).resolves.toBe(3);
  });
});

describe('limits of a shield narrow', () => {
  test.each([
    ['a higher limit', { limit: 500 }, { amount: 101 }, 'AIP-E202'],
    ['more domains', { allowedDomains: ['acme.com', 'evil.com'] }, { to: 'a@evil.com' }, 'AIP-E203'],
    ['a lower limit', { limit: 10 }, { amount: 11 }, 'AIP-E202'],
    ['fewer domains', { allowedDomains: ['mail.acme.com'] }, { to: 'a@acme.com' }, 'AIP-E203'],
    ['a list', { constraints: { allowed_symbols: ['AAPL'] } }, { symbol: 'GME' }, 'AIP-E204'],
    ['a requirement', { constraints: { require_stop_loss: true } }, {}, 'AIP-E208'],
    ['a bound', { constraints: { max_instances: { value: 10, param: 'count' } } }, { count: 11 }, 'AIP-E207'],
    ['an approval', { constraints: { require_approval: true } }, {}, 'AIP-E209'],
    ['another currency', { constraints: { monetary_limit: 5, currency: 'EUR' } }, { amount: 1 }, null],
  ])('%s', async (_, limits, params, code) => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, { actions: ['pay'] });
    const { runs, tool } = counter();
    const pay = aip.shield({ passport: agentId, actions: ['pay'], ...limits }, tool);
    if (code === null) {
      await pay(params);
      expect(runs).toHaveLength(1);
    } else {
      expect(await refusal(pay(params))).toMatchObject({ code });
      expect(runs).toEqual([]);
    }
  });

  const NAMED = ['order_id', 'quantity'];
  test.each<[string, object, boolean]>([
    ['none of its params is the amount', { params: NAMED }, true],
    ['none of the params of its methods is', { methods: { pay: { params: NAMED }, quote: null } }, true],
    ['one of them is', { params: NAMED, methods: { pay: { params: ['amount'] } } }, false],
    ['one of them holds money by its name', { params: ['order_id', 'total'] }, false],
    ['it is there in minor units', { params: ['amount_minor'] }, false],
    ['a function makes the params', { params: (total: number) => ({ amount: total }) }, false],
    ['the argument is the params', {}, false],
  ])('a limit that reads nothing is told of: %s', async (_, given, told) => {
    const aip = workshop();
    const passport = await supportAgent(aip, LOOSE);
    aip.shield({ passport, actions: ['pay'], limit: 10, ...given }, { pay: () => 1, quote: () => 2 });
    expect(aip.notices.filter((notice) => notice.includes('"amount"'))).toHaveLength(told ? 1 : 0);
  });

  test('require_amount closes what a limit leaves open: a call without the amount', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip, LOOSE);
    const { runs, tool } = counter();
    const limits = { limit: 10, constraints: { require_amount: true } };
    const pay = aip.shield({ passport, actions: ['pay'], ...limits }, tool);
    expect(await refusal(pay({}))).toMatchObject({ code: 'AIP-E208' });
    expect(runs).toEqual([]);
  });

  test('a limit is in the currency of the passport', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, { actions: ['pay'], constraints: { currency: 'JPY' } });
    const pay = aip.shield({ passport: agentId, actions: ['pay'], limit: 1000 }, counter().tool);
    await pay({ amount: 1000, currency: 'JPY' });
    expect(await refusal(pay({ amount: 1001 }))).toMatchObject({ code: 'AIP-E202', details: { currency: 'JPY' } });
  });

  test('an action that the passport does not declare is refused, though the shield names it', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip);
    const { runs, tool } = counter();
    const drop = aip.shield({ passport: agentId, actions: ['drop_table'] }, tool);
    expect(await refusal(drop({}))).toMatchObject({ code: 'AIP-E201' });
    expect(runs).toEqual([]);
  });
});

describe('a shielded object', () => {
  class Trader {
    #orders = 0;
    readonly name = 'trader';
    later = async (symbol: string) => `later ${symbol}`;

    placeOrder(symbol: string, qty: number): string {
      this.#orders += 1;
      return `${symbol} ${qty}, order ${this.#orders}`;
    }

    cancel_order(_id: string): void {
      this.#orders -= 1;
    }

    quote(symbol: string): string {
      return `quote of ${symbol}`;
    }

    close(): void {
      this.#orders = 0;
    }

    get orders(): number {
      return this.#orders;
    }
  }

  const options = (passport: string) => ({
    passport,
    actions: ['place_order', 'cancel_order'],
    methods: {
      placeOrder: { params: ['symbol', 'qty'] },
      cancel_order: { params: (id: string) => ({ order_id: id }) },
      quote: null,
    },
    constraints: { allowed_symbols: ['AAPL'] },
  });

  test('performs the actions its methods are named after', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const trader = aip.shield(options(agentId), new Trader());
    await expect(trader.placeOrder('AAPL', 5)).resolves.toBe('AAPL 5, order 1');
    expect(await refusal(trader.placeOrder('GME', 100))).toMatchObject({ code: 'AIP-E204' });
    await trader.cancel_order('1');
    expect(trader.orders).toBe(0);
    expect(trader.name).toBe('trader');
    expect(trader.placeOrder).toBe(trader.placeOrder);
    expect((await aip.getVerificationLogs()).map(({ action, params }) => [action, params])).toEqual([
      ['cancel_order', { order_id: '1' }],
      ['place_order', { symbol: 'GME', qty: 100 }],
      ['place_order', { symbol: 'AAPL', qty: 5 }],
    ]);
  });

  test('a method of which nobody says what it does is not run; one that is no action is', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const raw = new Trader();
    const trader = aip.shield(options(agentId), raw);
    await trader.placeOrder('AAPL', 5);
    expect(await refusal(trader.close())).toMatchObject({ code: 'USAGE' });
    expect(raw.orders).toBe(1);
    expect(trader.quote('GME')).toBe('quote of GME');
  });

  test('fields that hold functions, and methods put in later, are shielded', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const trader = aip.shield(options(agentId), new Trader());
    expect(await refusal(trader.later('GME'))).toMatchObject({ code: 'USAGE' });
    Object.assign(trader, { placeOrder: () => 'swapped' });
    expect(await refusal(trader.placeOrder('GME', 1))).toMatchObject({ code: 'AIP-E204' });
  });

  test('a class makes shielded instances, also of its subclasses', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const Shielded = aip.shield(options(agentId), Trader);
    class Loud extends Shielded {
      shout(): string {
        return 'BUY';
      }
    }
    const [one, two] = [new Shielded(), new Loud()];
    expect(one).toBeInstanceOf(Trader);
    for (const trader of [one, two]) {
      expect(await refusal(trader.placeOrder('GME', 1))).toMatchObject({ code: 'AIP-E204' });
      await expect(trader.placeOrder('AAPL', 1)).resolves.toContain('order 1');
    }
    expect(await refusal(Promise.resolve(two.shout()))).toMatchObject({ code: 'USAGE' });
  });

  test('its tools can be listed and taken out, and stay shielded', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip, LOOSE);
    const ran: string[] = [];
    const tools = Object.freeze({
      pay: (order: { amount: number }) => void ran.push(`paid ${order.amount}`),
      hidden: 5,
    });
    const shielded = aip.shield({ passport, actions: ['pay'], limit: 10 }, tools);
    expect(Object.keys(shielded)).toEqual(['pay', 'hidden']);
    const taken = { ...shielded };
    expect(taken.hidden).toBe(5);
    expect(await refusal(taken.pay({ amount: 11 }))).toMatchObject({ code: 'AIP-E202' });
    for (const [name, tool] of Object.entries(shielded))
      if (name === 'pay') await (tool as typeof taken.pay)({ amount: 1 });
    expect(ran).toEqual(['paid 1']);
    expect(() => Object.freeze(shielded)).toThrow(TypeError);
    expect(Object.keys(shielded)).toHaveLength(2);
  });

  test('what the objects in it can do is shielded as well', async () => {
    class Refunds {
      readonly #made: number[] = [];
      create({ amount }: { amount: number }): number {
        return this.#made.push(amount);
      }
      list(): readonly number[] {
        return this.#made;
      }
    }
    const [aip, ran] = [workshop(), [] as unknown[]];
    const passport = await supportAgent(aip, { actions: ['pay', 'refunds.create', 'v1.pay'], constraints: {} });
    const client = {
      refunds: new Refunds(),
      v1: { inner: { pay: (order: { amount: number }) => ran.push(order) }, pay: async () => ran.push('v1') },
      cache: { get: () => 'cached' },
      settings: { retries: 2, hosts: ['a'] },
      seen: new Map([['a', 1]]),
      ready: Promise.resolve('yes'),
      none: null,
      rows: [() => ran.push('row')],
    };
    const methods = { 'v1.inner.pay': 'pay', 'refunds.list': null, cache: null };
    const shield = { passport, actions: ['pay', 'refunds.create', 'v1.pay'], methods, limit: 10 };
    const shielded = aip.shield(shield, client);
    expect(await refusal(shielded.refunds.create({ amount: 11 }))).toMatchObject({ code: 'AIP-E202' });
    expect(await shielded.refunds.create({ amount: 5 })).toBe(1);
    expectTypeOf(shielded.refunds.create).returns.toEqualTypeOf<Promise<number>>();
    expect(shielded.refunds.list()).toEqual([5]);
    expect(await refusal(shielded.v1.inner.pay({ amount: 11 }))).toMatchObject({ code: 'AIP-E202' });
    expect(await shielded.v1.pay()).toBe(1);
    expect(shielded.refunds).toBe(shielded.refunds);
    expect(shielded.refunds).toBeInstanceOf(Refunds);
    // Data, and what is said to be no tool, is what it was.
    for (const name of ['cache', 'settings', 'seen', 'ready', 'none', 'rows'] as const)
      expect(shielded[name]).toBe(client[name]);
    expectTypeOf(shielded.seen).toEqualTypeOf<Map<string, number>>();
    expect(await shielded.ready).toBe('yes');
    const strict = aip.shield({ passport, actions: ['pay', 'v1.pay'] }, client);
    const unnamed = await refusal(strict.cache.get());
    expect(unnamed).toMatchObject({ code: 'USAGE', hint: expect.stringContaining("{ 'cache.get': '<action>' }") });
    expect(ran).toEqual(['v1']);
  });

  test('data that is shared among its objects is looked through once', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip, LOOSE);
    let data: object = { last: 1 };
    for (let depth = 0; depth < 40; depth++) data = { left: data, right: data };
    expect(aip.shield({ passport, actions: ['pay'] }, { data }).data).toBe(data);
  });

  test('a frozen object can be shielded', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const tools = aip.shield({ passport: agentId, actions: ['pay'] }, Object.freeze({ pay: () => 'paid' }));
    await expect(tools.pay()).resolves.toBe('paid');
  });
});

describe('arguments', () => {
  test.each([
    ['two positional ones without names', undefined, [1, 2]],
    ['a text without a name', undefined, ['x']],
    ['a list', undefined, [[1]]],
    ['more than have names', ['a'], [1, 2]],
    ['a function inside', undefined, [{ callback: () => 1 }]],
    ['a Date inside', undefined, [{ when: new Date(0) }]],
    ['a Map', undefined, [new Map()]],
    ['NaN', ['amount'], [Number.NaN]],
    ['a bigint', ['amount'], [10n]],
    ['half a character', ['text'], ['\ud800']],
    ['a mapping that gives no object', () => 'x' as never, []],
  ])('%s: nothing is signed, nothing runs', async (_, params, args) => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    let runs = 0;
    const options = { passport: agentId, actions: ['pay'], ...(params === undefined ? {} : { params }) };
    const pay = aip.shield(options, (..._: unknown[]) => ++runs);
    expect(await refusal(pay(...args))).toMatchObject({ code: 'USAGE' });
    expect(runs).toBe(0);
    expect(await aip.getVerificationLogs()).toEqual([]);
  });

  test('a cycle is refused, and does not run for ever', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const pay = aip.shield({ passport: agentId, actions: ['pay'] }, counter().tool);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(await refusal(pay(cycle))).toMatchObject({ code: 'USAGE' });
  });

  test('what changes while it is verified does not run', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, LOOSE);
    const { runs, tool } = counter();
    const pay = aip.shield({ passport: agentId, actions: ['pay'], limit: 10 }, tool);
    const order = { amount: 1 };
    const paid = pay(order);
    order.amount = 1_000_000;
    expect(await refusal(paid)).toMatchObject({ code: 'USAGE' });
    expect(runs).toEqual([]);
  });
});

describe('a shield that could not work is refused when it is made', () => {
  const tool = (): void => undefined;
  test.each<[string, object]>([
    ['without a passport', { actions: ['pay'] }],
    ['without actions', { passport: AGENT, actions: [] }],
    ['with a misspelt limit', { passport: AGENT, actions: ['pay'], alowedDomains: ['acme.com'] }],
    ['with domains as a text', { passport: AGENT, actions: ['pay'], verify: { at: new Date() } }],
    ['with a method of an action it has not', { passport: AGENT, actions: ['pay'], methods: { x: 'drop' } }],
    ['with a misspelt method option', { passport: AGENT, actions: ['pay'], methods: { x: { param: [] } } }],
    ['with one name for params', { passport: AGENT, actions: ['pay'], params: 'amount' }],
    ['with params that are no names', { passport: AGENT, actions: ['pay'], params: ['amount', undefined] }],
    ['with a method whose params are no names', { passport: AGENT, actions: ['pay'], methods: { x: { params: 5 } } }],
    ['with methods that are none', { passport: AGENT, actions: ['pay'], methods: null }],
    ['with several actions and an unnamed function', { passport: AGENT, actions: ['pay', 'send'] }],
  ])('%s', (_, options) => {
    const aip = workshop();
    expect(() => aip.shield(options as never, tool)).toThrow(Failure);
  });

  test.each<[string, object]>([
    ['a constraint that does not exist', { constraints: { monetary_limits: 5 } }],
    ['a limit given twice', { limit: 5, constraints: { monetary_limit: 5 } }],
    ['a limit that is no number', { limit: 'plenty' }],
    ['domains as a text', { allowedDomains: 'acme.com' }],
  ])('with %s', async (_, limits) => {
    const aip = workshop();
    const passport = await supportAgent(aip, LOOSE);
    expect(() => aip.shield({ passport, actions: ['pay'], ...limits }, tool)).toThrow(Failure);
  });

  test('around something that is no tool', () => {
    const aip = workshop();
    // Awaiting the shield of a promise would wait for ever, also of one that is not of this realm's class.
    const foreign = runInNewContext('Promise.resolve({})') as object;
    for (const nothing of [null, undefined, 5, 'tool', Promise.resolve(tool), foreign])
      expect(() => aip.shield({ passport: AGENT, actions: ['pay'] }, nothing as never)).toThrow(Failure);
  });
});

describe('the world around a shield', () => {
  test('without its key nothing runs', async () => {
    const aip = workshop();
    const { agentId } = await supportAgent(aip, { ...LOOSE, keyStore: 'file' });
    const { runs, tool } = counter();
    const pay = aip.again({ passphrase: 'wrong' }).shield({ passport: agentId, actions: ['pay'] }, tool);
    expect(await refusal(pay({}))).toMatchObject({ name: 'Failure', code: 'WRONG_PASSPHRASE' });
    expect(runs).toEqual([]);
  });

  test('without a passport nothing runs, and once there is one it does', async () => {
    const aip = workshop();
    const pay = aip.shield({ passport: AGENT, actions: ['pay'] }, counter().tool);
    expect(await refusal(pay({}))).toMatchObject({ code: 'NOT_FOUND' });
    await supportAgent(aip, LOOSE);
    await expect(pay({})).resolves.toBe(1);
  });

  test('a passport of a stranger is refused', async () => {
    const aip = workshop();
    const elsewhere = workshop({ home: scratch() });
    const passport = await supportAgent(elsewhere, LOOSE);
    const { runs, tool } = counter();
    const pay = aip.shield({ passport, actions: ['pay'], privateKey: KEY }, tool);
    expect(await refusal(pay({}))).toMatchObject({ code: 'AIP-E103' });
    expect(runs).toEqual([]);
  });
});

test('what became of each call is in the log, and of an error its name alone', async () => {
  const aip = workshop();
  const { agentId } = await supportAgent(aip, LOOSE);
  let broken = false;
  const pay = aip.shield({ passport: agentId, actions: ['pay'] }, () => {
    if (broken) throw new RangeError('the card of Ada was declined');
    return 1;
  });
  await pay();
  broken = true;
  await expect(pay()).rejects.toThrow('declined');
  await aip.getVerificationLogs();
  const log = inHome(join(aip.folder, 'home'), (state) => [...state.records({})]);
  const ofType = (type: string) => log.filter((each) => each.type === type);
  const [, second] = ofType('verification');
  expect(ofType('verification')).toMatchObject([{ status: 'success' }, { status: 'success' }]);
  expect(ofType('outcome')).toMatchObject([
    { status: 'ok' },
    { status: 'error', of: second!.seq, detail: 'RangeError', claimed: false },
  ]);
  expect(log).toHaveLength(4);
  expect(JSON.stringify(log)).not.toContain('card of Ada');
});
