import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { withParams } from '../../../src/app/passports/declared-params.js';
import { lintDestinations, lintPassport, type PassportLike } from '../../../src/app/passports/lint/lint.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { order_id: { type: 'string' }, amount: { type: 'number' } },
  required: ['order_id', 'amount'],
  additionalProperties: false,
};
const TIGHT: PassportLike = {
  actions: [{ name: 'issue_refund', params: SCHEMA }],
  constraints: { monetary_limit: 100, daily_limit: 500, currency: 'USD', rate_limit: '10/hour' },
  issued_at: '2026-02-18T14:23:45Z',
  expires_at: '2026-05-19T14:23:45Z',
};
const codes = (document: PassportLike) => lintPassport(document).map(({ code }) => code);
const without = (...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(TIGHT.constraints).filter(([name]) => !names.includes(name)));
const bare = (name: string): JsonObject => ({
  type: 'object',
  properties: {},
  additionalProperties: false,
  title: name,
});
const doing = (name: string, constraints: JsonObject = { rate_limit: '1/day' }): PassportLike => ({
  ...TIGHT,
  actions: [{ name, params: bare(name) }],
  constraints,
});

test('a tight passport has no findings', () => {
  expect(lintPassport(TIGHT)).toEqual([]);
});

test('a passport that is signed is to be updated, not made', () => {
  const hints = (signed: object) => lintPassport({ ...TIGHT, constraints: without('rate_limit'), ...signed })[0]!.hint;
  expect(hints({})).toBe('Create the passport with --rate-limit <n>/hour.');
  expect(hints({ agent_name: 'bot', issuer_signature: '00' })).toBe(
    'Set it: aip passport update bot --rate-limit <n>/hour.',
  );
  const grave = { ...doing('delete_user'), agent_name: 'bot', issuer_signature: '00' };
  expect(lintPassport(grave)[0]!.hint).toBe(
    `Set it: aip passport update bot --constraint 'require_approval:={"actions":["delete_user"]}'.`,
  );
});

test("the guide's own passport is warned about, each finding with a place, a sentence and a way out", () => {
  const findings = lintPassport({
    actions: ['send_email', 'issue_refund'],
    constraints: { monetary_limit: 100, currency: 'USD', allowed_domains: ['acme.com'], rate_limit: '10/hour' },
    issued_at: '2026-02-18T14:23:45Z',
    expires_at: null,
  });
  expect(findings.map(({ code, path, severity }) => [code, path, severity])).toEqual([
    ['no-params-schema', '/actions', 'warning'],
    ['no-daily-limit', '/constraints/daily_limit', 'warning'],
    ['no-expiry', '/expires_at', 'warning'],
  ]);
  for (const { message, hint } of findings) {
    expect(message).toMatch(/^\S.*\.$/);
    expect(hint).toMatch(/^\S.*\.$/);
  }
  expect(findings[0]!.message).toContain('send_email, issue_refund');
});

describe('money', () => {
  test.each([
    'issue_refund',
    'payInvoice',
    'charge-card',
    'bank.transfer',
    'place_order',
    'orders:place',
    'withdraw',
    'purchases',
  ])('%s without a limit', (name) => {
    expect(codes(doing(name))).toContain('no-monetary-limit');
  });

  test.each([
    'get_invoice',
    'list_orders',
    'readRefund',
    'search.payments',
    'send_newsletter',
    'repay_attention',
    'border',
    'chargeback_notes',
  ])('%s moves none', (name) => {
    expect(codes(doing(name))).not.toContain('no-monetary-limit');
  });

  test('an amount in the schema makes any action one that moves money', () => {
    const findings = lintPassport({
      ...TIGHT,
      actions: [{ name: 'get_it_done', params: SCHEMA }],
      constraints: without('monetary_limit'),
    });
    expect(findings).toMatchObject([{ code: 'no-monetary-limit', path: '/constraints/monetary_limit' }]);
    expect(findings[0]!.message).toContain('get_it_done');
  });

  test('a limit without a currency is said to count as what a verifier takes it for', () => {
    const [finding] = lintPassport({ ...TIGHT, constraints: without('currency') });
    expect(finding).toMatchObject({
      code: 'no-currency',
      message: expect.stringContaining('it counts as USD') as string,
    });
  });

  test.each<[string, JsonObject, string[]]>([
    ['no daily limit', without('daily_limit'), ['no-daily-limit']],
    ['no currency', without('currency'), ['no-currency', 'no-currency']],
    [
      'a currency inside each limit',
      {
        ...without('currency'),
        monetary_limit: { limit: 1, currency: 'EUR' },
        daily_limit: { limit: 1, currency: 'EUR' },
      },
      [],
    ],
    [
      'a limit on a param that the schema does not require',
      { ...TIGHT.constraints, monetary_limit: { limit: 1, param: 'total' } },
      ['amount-not-required', 'dead_constraint'],
    ],
  ])('%s', (_, constraints, expected) => {
    expect(codes({ ...TIGHT, constraints })).toEqual(expected);
  });

  test('money that is required further down, and money under another name', () => {
    const line = { type: 'object', required: ['price'], properties: { price: { type: 'string' } } };
    const order = (items: JsonObject): JsonObject => ({
      type: 'object',
      additionalProperties: false,
      required: ['line_items'],
      properties: { line_items: { type: 'array', items } },
    });
    const told = (params: JsonObject) => lintPassport({ ...TIGHT, actions: [{ name: 'pay', params }] });
    expect(told(order(line))).toEqual([]);
    expect(told(order({ ...line, required: [] }))).toMatchObject([
      {
        code: 'amount-not-required',
        message: 'The schema of pay does not require "price", and monetary_limit is skipped when it is left out.',
      },
    ]);
  });

  test('a limit that leaving out the amount evades', () => {
    const params = { ...SCHEMA, required: ['order_id'] };
    expect(codes({ ...TIGHT, actions: [{ name: 'issue_refund', params }] })).toEqual(['amount-not-required']);
    const none = { ...SCHEMA, required: ['order_id'], properties: { order_id: { type: 'string' } } };
    const actions = [
      { name: 'issue_refund', params },
      { name: 'pay', params: none },
    ];
    const told = lintPassport({ ...TIGHT, actions }).filter(({ code }) => code === 'amount-not-required');
    expect(told.map(({ message }) => message)).toEqual([
      'The schema of issue_refund does not require "amount", and monetary_limit is skipped when it is left out.',
      'The schema of pay names no param that monetary_limit reads, and it is skipped where none is given.',
    ]);
    expect(told.map(({ hint }) => hint)).toEqual([
      'Add it to "required" in the schema.',
      'Declare what holds the money ("amount"), at any depth, and require it.',
    ]);
    const minor = { ...SCHEMA, required: ['amount_minor'] };
    expect(codes({ ...TIGHT, actions: [{ name: 'issue_refund', params: minor }] })).toEqual([]);
  });
});

describe('reach', () => {
  test.each(['send_email', 'sendReport', 'http.post', 'call_webhook', 'upload_file', 'fetch_url'])(
    '%s without domains',
    (name) => {
      expect(codes(doing(name))).toEqual(['no-allowed-domains']);
    },
  );

  test.each(['read_email', 'list_webhooks', 'update_record', 'resend_nothing', 'emailed'])(
    '%s sends nothing',
    (name) => {
      expect(codes(doing(name))).toEqual([]);
    },
  );

  test('an address in the schema counts, the account of a transfer does not', () => {
    const params = (name: string): JsonObject => ({ properties: { [name]: {} }, additionalProperties: false });
    const act = (name: string, param: string) => codes({ ...doing(name), actions: [{ name, params: params(param) }] });
    expect(act('update_record', 'endpoint')).toContain('no-allowed-domains');
    expect(act('update_record', 'cc')).toContain('no-allowed-domains');
    expect(act('transfer', 'to')).not.toContain('no-allowed-domains');
    expect(act('transfer', 'url')).toContain('no-allowed-domains');
  });

  test.each(['*.acme.com', '*', 'a*.com'])('the wildcard %s is pointed at', (domain) => {
    const constraints = { rate_limit: '1/day', allowed_domains: ['acme.com', domain] };
    const found = lintPassport(doing('send_email', constraints)).filter(({ severity }) => severity !== 'error');
    expect(found).toMatchObject([
      { code: 'wildcard-domain', path: '/constraints/allowed_domains/1', severity: 'warning' },
    ]);
  });

  test('a constraint is for the actions that it names', () => {
    const actions = ['send_email', 'call_webhook'].map((name) => ({ name, params: bare(name) }));
    const scoped = (value: JsonObject[string]): JsonObject => ({ value, actions: ['send_email'] });
    const constraints = { rate_limit: scoped('1/day'), allowed_domains: scoped(['*.acme.com']) };
    const found = lintPassport({ ...TIGHT, actions, constraints }).filter(({ severity }) => severity !== 'error');
    expect(found.map(({ path, message }) => [path, message.split(' ', 1)[0]]).sort()).toEqual([
      ['/constraints/allowed_domains', 'call_webhook'],
      ['/constraints/allowed_domains/value/0', '"*.acme.com"'],
      ['/constraints/rate_limit', 'call_webhook'],
    ]);
    const pay = (name: string) => ({ name, params: { ...SCHEMA, required: [] } });
    const limit = { limit: 100, actions: ['pay_invoice'] };
    const money = { ...TIGHT.constraints, monetary_limit: limit };
    expect(
      lintPassport({ ...TIGHT, actions: [pay('pay_invoice'), pay('issue_refund')], constraints: money }).map(
        ({ code, message }) => [code, /pay_invoice|issue_refund/.exec(message)?.[0]],
      ),
    ).toEqual([
      ['no-monetary-limit', 'issue_refund'],
      ['amount-not-required', 'pay_invoice'],
    ]);
  });

  test('domains that are no list are not the business of lint', () => {
    expect(codes(doing('send_email', { rate_limit: '1/day', allowed_domains: 'acme.com' }))).toEqual([]);
  });
});

describe('breadth', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `step_${i}`, params: bare('x') }));
  test('no action at all', () => {
    expect(codes({ ...TIGHT, actions: [] })).toEqual(['no-actions']);
  });

  test('five actions are a handful, six are more', () => {
    expect(codes({ ...TIGHT, actions: many(5), constraints: { rate_limit: '1/day' } })).toEqual([]);
    expect(codes({ ...TIGHT, actions: many(6), constraints: { rate_limit: '1/day' } })).toEqual(['too-many-actions']);
  });

  test('hundreds of actions still make short sentences', () => {
    const actions = Array.from({ length: 256 }, (_, i) => `refund_${i}`);
    for (const { message } of lintPassport({ actions, constraints: {} })) expect(message.length).toBeLessThan(300);
  });

  test('an action without a schema, as text or as an object', () => {
    expect(codes({ ...TIGHT, actions: ['step'] })).toEqual(['no-params-schema']);
    expect(codes({ ...TIGHT, actions: [{ name: 'step' }] })).toEqual(['no-params-schema']);
  });

  test('a schema that lets other params through is a note', () => {
    const open = { ...SCHEMA, additionalProperties: true };
    expect(lintPassport({ ...TIGHT, actions: [{ name: 'issue_refund', params: open }] })).toMatchObject([
      { code: 'open-params-schema', severity: 'note' },
    ]);
    const closed: JsonObject = { required: ['amount'], unevaluatedProperties: false };
    expect(codes({ ...TIGHT, actions: [{ name: 'issue_refund', params: closed }] })).toEqual([]);
  });
});

test.each<[string, string, boolean]>([
  ['declared', '{"properties": {"__proto__": {"type": "string"}}, "additionalProperties": false}', true],
  ['required', '{"properties": {"x": {}}, "required": ["__proto__"], "additionalProperties": false}', true],
  ['within another', '{"properties": {"x": {"required": ["__proto__"]}}, "additionalProperties": false}', true],
  ['given as a value', '{"properties": {"x": {"enum": ["__proto__"]}}, "additionalProperties": false}', false],
])('a param named __proto__ that is %s is an error: %#', (_, text, found) => {
  const actions = [{ name: 'step', params: parseJsonText(text) as JsonObject }];
  const errors = lintPassport({ ...TIGHT, actions }).filter(({ severity }) => severity === 'error');
  expect(errors.map(({ code }) => code).includes('param-never-read')).toBe(found);
});

describe('rate, approval and expiry', () => {
  test.each<[string, JsonObject, boolean]>([
    ['none', {}, true],
    ['a rate for all', { rate_limit: '1/day' }, false],
    ['a rate for this action', { rate_limit: { step: '1/day' } }, false],
    ['a rate for another', { rate_limit: { other: '1/day' } }, true],
    ['a count of things', { max_steps_per_hour: 5 }, false],
    ['a bound that is no rate', { max_instances: 5 }, true],
  ])('rate: %s', (_, constraints, expected) => {
    expect(codes(doing('step', constraints)).includes('no-rate-limit')).toBe(expected);
  });

  test('what cannot be undone asks nobody', () => {
    expect(lintPassport(doing('delete_user'))).toMatchObject([{ code: 'no-approval', severity: 'note' }]);
    expect(codes(doing('delete_user', { rate_limit: '1/day', require_approval: true }))).toEqual([]);
    const one = doing('delete_user');
    const two = { ...one, actions: [...one.actions, { name: 'deploy', params: bare('deploy') }] };
    expect(lintPassport(two)[0]!.hint).toContain('{"actions":["delete_user","deploy"]}');
    expect(codes(doing('list_deploys'))).toEqual([]);
    expect(codes(doing('undelete_user'))).toEqual([]);
  });

  test.each<[string, string | null | undefined, string[]]>([
    ['none', null, ['no-expiry']],
    ['absent', undefined, ['no-expiry']],
    ['a year', '2027-02-18T14:23:45Z', []],
    ['two years', '2028-02-18T14:23:45Z', ['long-expiry']],
    ['no time at all', 'soon', []],
  ])('expiry: %s', (_, expires_at, expected) => {
    const { expires_at: _dropped, ...rest } = TIGHT;
    expect(codes(expires_at === undefined ? rest : { ...rest, expires_at })).toEqual(expected);
  });
});

describe('what constraints read', () => {
  const mail: JsonObject = {
    type: 'object',
    properties: { to: { type: 'string' }, subject: { type: 'string' }, notify: { type: 'string' } },
    required: ['to'],
    additionalProperties: false,
  };
  const both = (constraints: JsonObject): PassportLike => ({
    ...TIGHT,
    actions: [
      { name: 'issue_refund', params: SCHEMA },
      { name: 'send_email', params: mail },
    ],
    constraints: { ...TIGHT.constraints, ...constraints },
  });
  const errors = (document: PassportLike) =>
    lintPassport(document)
      .filter(({ severity }) => severity === 'error')
      .map(({ code, path }) => [code, path]);

  test.each<[string, JsonObject]>([
    ['a domain list that a destination reads', { allowed_domains: ['acme.com'] }],
    ['a thing of the schema', { allowed_order_ids: ['1'], require_subject: true }],
    ['a count of the declared actions', { max_refunds_per_day: 3 }],
    ['a rate of a declared action', { rate_limit: { send_email: '1/day' } }],
    ['params that it names', { max_size: { value: 5, params: ['amount'] } }],
    ['a limit for one action', { monetary_limit: { value: 5, actions: ['issue_refund'] } }],
  ])('%s is no error', (_, constraints) => expect(errors(both(constraints))).toEqual([]));

  test.each<[string, JsonObject, [string, string][]]>([
    ['a thing of no schema', { allowed_symbols: ['A'] }, [['dead_constraint', '/constraints/allowed_symbols']]],
    ['a required param of no schema', { require_ticket: true }, [['dead_constraint', '/constraints/require_ticket']]],
    [
      'a bound that names another param',
      { max_x: { value: 5, params: ['size'] } },
      [['dead_constraint', '/constraints/max_x']],
    ],
    ['a count of no action', { max_orders_per_day: 3 }, [['dead_constraint', '/constraints/max_orders_per_day']]],
    [
      'a limit for an action without money',
      { monetary_limit: { value: 5, actions: ['send_email'] } },
      [['dead_constraint', '/constraints/monetary_limit']],
    ],
    ['a rate of no action', { rate_limit: { sendEmail: '1/day' } }, [['undeclared_action', '/constraints/rate_limit']]],
    [
      'an approval for no action',
      { require_approval: { actions: ['refund'] } },
      [['undeclared_action', '/constraints/require_approval']],
    ],
  ])('%s is an error', (_, constraints, expected) => expect(errors(both(constraints))).toEqual(expected));

  test.each([
    ['resource:https://*', ['resource-never-read']],
    ['resource:file:///docs/%2e%2e/*', ['resource-never-read']],
    ['resource:file:/*', ['resource-any']],
    ['resource:memo://*', ['resource-any']],
    ['resource:https://acme.com/*', []],
    // Words of a URI and of a prompt say nothing of what is done.
    ['resource:https://acme.com/orders/delete/*', []],
    ['prompt:pay_invoice', []],
  ])('%s', (name, expected) => expect(codes(doing(name))).toEqual(expected));

  test('an action without a schema may carry anything', () => {
    expect(errors({ ...both({ allowed_symbols: ['A'] }), actions: ['issue_refund'] })).toEqual([]);
  });

  test('destinations are named, and what looks like one and is not read', () => {
    expect(lintDestinations(both({}))).toEqual({ read: ['send_email.to'], unread: ['send_email.notify'] });
    const limited = (more: JsonObject) => lintDestinations(both({ allowed_domains: { value: ['acme.com'], ...more } }));
    expect(limited({})).toEqual({ read: ['send_email.to'], unread: ['send_email.notify'] });
    expect(limited({ params: ['notify'] })).toEqual({ read: ['send_email.notify'], unread: ['send_email.to'] });
    expect(limited({ actions: ['issue_refund'] })).toEqual({
      read: [],
      unread: ['send_email.to', 'send_email.notify'],
    });
  });
});

describe('--param', () => {
  test('closes the schema of an action, and a first passport lints clean', () => {
    const actions = withParams(
      ['send_email', 'issue_refund'],
      [
        'send_email:to:email',
        'send_email:subject:string',
        'send_email:body:string!',
        'issue_refund:order_id:string',
        'issue_refund:amount:number',
      ],
    );
    expect(actions[0]).toEqual({
      name: 'send_email',
      params: {
        type: 'object',
        properties: {
          to: { type: 'string', pattern: '^[^@\\s]+@[^@\\s]+$' },
          subject: { type: 'string' },
          body: { type: 'string' },
        },
        required: ['to', 'subject'],
        additionalProperties: false,
      },
    });
    const constraints = { ...TIGHT.constraints, allowed_domains: ['acme.com'] };
    expect(lintPassport({ ...TIGHT, actions, constraints })).toEqual([]);
  });

  test.each([
    'send_email',
    'send_email:to',
    'send_email:to:text',
    'send_email::string',
    'pay:amount:number',
    'send_email:to:email!!',
    'send_email:__proto__:string',
    'send_email:__proto__:string!',
  ])('is not %s', (spec) => expect(() => withParams(['send_email'], [spec])).toThrow(Failure));

  test('gives no param twice', () => {
    expect(() => withParams(['a'], ['a:x:string', 'a:x:number'])).toThrow('twice');
    const given = { name: 'a', params: { type: 'object', properties: { x: {}, y: {} }, required: ['x'] } };
    expect(withParams([given], ['a:x:string!'])).toEqual([
      { name: 'a', params: { type: 'object', properties: { x: { type: 'string' }, y: {} }, required: [] } },
    ]);
  });
});
