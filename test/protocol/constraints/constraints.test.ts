import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONSTRAINT_ORDER } from '../../../src/protocol/constraints/rules.js';
import { parseConstraints } from '../../../src/protocol/constraints/grammar.js';
import { holdsThing, thingOf } from '../../../src/protocol/constraints/counted-names.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

interface Vector {
  readonly name: string;
  readonly constraints: JsonObject;
  readonly problems: readonly string[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/constraints-grammar.json', import.meta.url), 'utf8'),
) as Vector[];

describe('the grammar of constraints', () => {
  test.each(VECTORS.map((vector) => [vector.name, vector] as const))('%s', (_, { constraints, problems }) => {
    const parsed = parseConstraints(constraints);
    expect(parsed.ok ? [] : [...new Set(parsed.problems.map(({ path }) => path))].sort()).toEqual([...problems].sort());
    expect(parsed.ok).toBe(problems.length === 0);
  });

  test('puts constraints in the order of section 5', () => {
    const every = VECTORS.find(({ name }) => name === 'every form')!.constraints;
    const backwards = Object.fromEntries(Object.entries(every).reverse());
    for (const value of [every, backwards]) {
      const parsed = parseConstraints(value);
      const kinds = parsed.ok ? parsed.constraints.all.map(({ kind }) => kind) : [];
      expect([...new Set(kinds)]).toEqual(CONSTRAINT_ORDER.filter((kind) => kind !== 'given'));
    }
  });

  test('reads the name allowed_domains as the constraint and not as a list of values', () => {
    const parsed = parseConstraints({ allowed_domains: ['acme.com'] });
    expect(parsed.ok && parsed.constraints.all.map(({ kind }) => kind)).toEqual(['allowed_domains']);
  });

  test('a problem never quotes a value', () => {
    const parsed = parseConstraints({ require_reason: 'hunter2', currency: 'hunter2', allowed_domains: ['hunter2@'] });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('things', () => {
  test.each([
    ['orders', 'order'],
    ['queries', 'query'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['caches', 'cache'],
    ['statuses', 'status'],
    ['trades', 'trade'],
    ['movies', 'movie'],
    ['houses', 'house'],
    ['batches', 'batch'],
    ['apiCalls', 'api_call'],
  ])('%s and %s are one', (many, one) => expect(thingOf(many)).toBe(thingOf(one)));

  test.each([
    ['border_check', 'order'],
    ['reorder', 'order'],
    ['orderly', 'order'],
    ['place', 'order'],
    ['stop_the_order', 'stop_order'],
    ['', 'order'],
    ['call_api', 'apicall'],
    ['send_b_email_e', 'mail_sendb'],
  ])('%s does not hold %s', (action, thing) => expect(holdsThing(action, thing)).toBe(false));

  test.each(['place_order', 'placeOrder', 'PLACE_ORDER', 'order.place', 'orders', 'place-orders', 'v2:order/place'])(
    '%s holds order',
    (action) => expect(holdsThing(action, 'order')).toBe(true),
  );

  test.each([
    ['sendEMail', 'emails'],
    ['send_e_mail', 'emails'],
    ['send_e_mail', 'send_emails'],
    ['bulk_send_e_mail_now', 'send_emails'],
    ['e_mail_send', 'email_sends'],
    ['log_in', 'logins'],
    ['check_out_cart', 'checkouts'],
    ['post_web_hook', 'webhooks'],
  ])('%s holds what %s names: neighbouring words are one', (action, things) =>
    expect(holdsThing(action, thingOf(things))).toBe(true),
  );
});
