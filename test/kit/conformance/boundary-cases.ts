import type { Value } from '../../../src/protocol/aip1/encoding/numbers.js';
import type { ConformanceCase, CaseSetting } from '../../../src/app/conformance/run.js';
import { KEYS, passport, signed, text, type Bends } from './parts.js';

const given: CaseSetting = { public_key: KEYS.agent };
const known = (more: Parameters<typeof passport>[0] = {}): CaseSetting => ({
  passport: passport(more),
  principal_key: KEYS.principal,
});

function one(
  name: string,
  shows: string,
  bends: Bends,
  code: string | null,
  more: CaseSetting = given,
): ConformanceCase {
  return { name, shows, documents: [text(signed(name, bends))], given: more, expect: { code } };
}

/** What the agent may do: E200 to E204, and E103 for amounts that cannot be read. */
export function boundaryCases(): ConformanceCase[] {
  return [...actions(), ...amounts(), ...sums(), ...places(), ...passports()];
}

function actions(): ConformanceCase[] {
  const denied = { 'boundaries.denied_actions': ['transfer_funds', 'delete_records'] };
  return [
    one('action-allowed', 'An allowed action.', { 'intent.action': 'read_invoice' }, null),
    one('action-not-allowed', 'An action that nothing allows.', { 'intent.action': 'delete_database' }, 'AIP-E200'),
    one('action-case', 'Names are compared as they are written.', { 'intent.action': 'Read_Invoice' }, 'AIP-E200'),
    one('action-prefix', 'A name that begins like an allowed one.', { 'intent.action': 'read_invoices' }, 'AIP-E200'),
    one('action-space', 'A name with a space more.', { 'intent.action': 'read_invoice ' }, 'AIP-E200'),
    one('action-star', 'A star is a name like any other.', { 'boundaries.allowed_actions': ['*'] }, 'AIP-E200'),
    one('action-denied', 'A deny wins over an allow.', denied, 'AIP-E201'),
    one(
      'action-denied-only',
      'A deny holds where any other action is allowed.',
      { ...denied, 'boundaries.allowed_actions': [] },
      'AIP-E201',
    ),
    one(
      'action-denied-first',
      'A denied action that is not allowed either is denied.',
      { ...denied, 'intent.action': 'delete_records' },
      'AIP-E201',
    ),
    one(
      'action-prototype',
      'Names of what every object has are names of no action.',
      { 'intent.action': 'constructor' },
      'AIP-E200',
    ),
  ];
}

function amounts(): ConformanceCase[] {
  const amount = (name: string, shows: string, value: Value, code: string | null, more: Bends = {}) =>
    one(`amount-${name}`, shows, { 'intent.parameters.amount': value, ...more }, code);
  const minor = { 'intent.parameters.amount_minor': 50_001 };
  return [
    amount('at-cap', 'Exactly the cap.', 500, null),
    amount('above-cap', 'One cent more.', 500.01, 'AIP-E202'),
    amount('far-above', 'Far more.', 15_000, 'AIP-E202'),
    amount('huge', 'More than any double counts exactly.', 10n ** 300n, 'AIP-E202'),
    amount('zero', 'Nothing.', 0, null),
    amount('negative', 'A refund.', -50, null),
    amount('noise', 'What binary floats make of 0.1 + 0.2.', 0.1 + 0.2, null),
    amount(
      'hair-above',
      'The cap and the smallest part of a cent that a double can hold.',
      500.00000000000006,
      'AIP-E202',
    ),
    amount('text', 'An amount as text is an amount.', '500.00', null),
    amount('text-above', 'Also where it is too much.', '500.01', 'AIP-E202'),
    amount('null', 'No amount.', null, null),
    amount('words', 'Words are no amount.', 'a lot', 'AIP-E103'),
    amount('exponent-text', 'Nor is text with an exponent.', '1e9', 'AIP-E103'),
    amount('list', 'Nor is a list.', [999_999], 'AIP-E103'),
    amount('object', 'Nor an object.', { value: 999_999 }, 'AIP-E103'),
    amount('true', 'Nor a boolean.', true, 'AIP-E103'),
    amount('minor-preferred', 'Minor units are preferred.', 1, 'AIP-E202', minor),
    amount('minor-at-cap', 'And exact.', 1, null, { 'intent.parameters.amount_minor': 50_000 }),
    amount('minor-fraction', 'There is no half cent.', 1, 'AIP-E103', { 'intent.parameters.amount_minor': 0.5 }),
    amount('minor-yen', 'Yen have no minor unit.', 1, 'AIP-E202', {
      'intent.parameters.amount_minor': 501,
      'intent.parameters.currency': 'JPY',
      'boundaries.monetary_limit.currency': 'JPY',
    }),
    amount('other-currency', 'A cap in dollars says nothing of euros.', 1, 'AIP-E202', {
      'intent.parameters.currency': 'EUR',
    }),
    amount('currency-case', 'Currencies are compared without case.', 1, null, { 'intent.parameters.currency': 'usd' }),
    amount('no-cap', 'Zero means no cap.', 1e12, null, {
      'boundaries.monetary_limit.per_transaction': 0,
      'boundaries.monetary_limit.per_day': 0,
    }),
    amount('no-cap-words', 'Where nothing is capped, nothing is money.', 'two cups', null, {
      'boundaries.monetary_limit.per_transaction': 0,
      'boundaries.monetary_limit.per_day': 0,
    }),
    amount('tiny-cap', 'The smallest cap is a cap.', 0.01, 'AIP-E202', {
      'boundaries.monetary_limit.per_transaction': 1e-9,
    }),
  ];
}

function sums(): ConformanceCase[] {
  const spend = (
    name: string,
    shows: string,
    amounts: readonly Value[],
    code: string | null,
    more: Bends = {},
  ): ConformanceCase => ({
    name: `day-${name}`,
    shows,
    documents: amounts.map((amount, i) =>
      text(
        signed(`day-${name}-${i}`, {
          'boundaries.monetary_limit.per_day': 1000,
          'intent.parameters.amount': amount,
          ...more,
        }),
      ),
    ),
    given,
    expect: { code },
  });
  // The agent says of itself what it likes; the passport limits a day to 100 USD.
  const daily = known({ constraints: { daily_limit: 100, currency: 'USD' } });
  const priced = known({ constraints: { daily_limit: { limit: 100, param: 'price' } } });
  const cap = (per_transaction: number, per_day: number, currency: string): Bends => ({
    'boundaries.monetary_limit': { per_transaction, per_day, currency },
    'intent.parameters.currency': undefined,
  });
  const under = (name: string, shows: string, amounts: readonly Value[], code: string | null, more: Bends) => ({
    ...spend(`currency-${name}`, shows, amounts, code, more),
    given: daily,
  });
  return [
    spend('at-cap', 'What makes the cap of 24 hours full.', [500, 500], null),
    spend('above-cap', 'One cent more.', [500, 500, 0.01], 'AIP-E202'),
    spend('exact', 'Ten times 0.10 is 1.', Array(10).fill(0.1), null, { 'boundaries.monetary_limit.per_day': 1 }),
    spend('exact-above', 'Eleven times is more.', Array(11).fill(0.1), 'AIP-E202', {
      'boundaries.monetary_limit.per_day': 1,
    }),
    spend('refused', 'A refused amount is not spent.', [400, 900, 500], null),
    spend('refund', 'A refund gives nothing back.', [500, 500, -500, 500], 'AIP-E202'),
    spend('split', 'Splitting an amount does not help.', [400, 400, 400], 'AIP-E202'),
    under(
      'own',
      'A cap of its own in another currency makes it unclear what the amount is in.',
      [60],
      'AIP-E202',
      cap(500, 0, 'EUR'),
    ),
    under('uncapped', 'A currency that caps nothing means nothing.', [60, 40], null, cap(0, 0, 'EUR')),
    under('hidden', 'And hides no amount from the sum.', [60, 40, 1], 'AIP-E202', cap(0, 0, 'EUR')),
    under('same', 'Two caps in one currency are both held.', [60, 60], 'AIP-E202', cap(500, 1000, 'USD')),
    ...[0, 1000].map((per_day) => ({
      ...spend(
        `param-${per_day}`,
        'Where a passport limits another param, a small amount beside it hides nothing.',
        [0.01, 0.01],
        'AIP-E202',
        { 'boundaries.monetary_limit.per_day': per_day, 'intent.parameters.price': 60 },
      ),
      given: priced,
    })),
    spend('below-a-cent', 'Parts of a cent are counted as cents.', Array(3).fill(0.001), 'AIP-E202', {
      'boundaries.monetary_limit.per_day': 0.02,
    }),
  ];
}

function places(): ConformanceCase[] {
  const geo = { 'boundaries.geo_restriction': 'US, de' };
  const window = (start: string, end: string): Bends => ({ 'boundaries.time_window': { start, end } });
  return [
    one('geo-match', 'The country is allowed.', geo, null, { ...given, geo: 'US' }),
    one('geo-case', 'In either case.', geo, null, { ...given, geo: 'de' }),
    one('geo-unknown', 'Not judged where the verifier does not know the country.', geo, null),
    one('geo-mismatch', 'The country is not allowed.', geo, 'AIP-E204', { ...given, geo: 'RU' }),
    one('geo-part', 'A part of a name is another name.', { 'boundaries.geo_restriction': 'RUS' }, 'AIP-E204', {
      ...given,
      geo: 'RU',
    }),
    one('geo-empty-entry', 'An empty entry allows nothing.', { 'boundaries.geo_restriction': ',' }, 'AIP-E204', {
      ...given,
      geo: 'US',
    }),
    one('window-first-instant', 'The window opens.', window('2026-02-14T12:00:00Z', '2026-02-14T13:00:00Z'), null),
    one(
      'window-last-instant',
      'The window closes after its end.',
      window('2026-02-14T11:00:00Z', '2026-02-14T12:00:00Z'),
      null,
    ),
    one('window-early', 'Too early.', window('2026-02-14T12:00:01Z', '2026-02-14T13:00:00Z'), 'AIP-E203'),
    one('window-late', 'Too late.', window('2026-02-14T10:00:00Z', '2026-02-14T11:59:59Z'), 'AIP-E203'),
    one(
      'window-reversed',
      'A window that ends before it starts is never open.',
      window('2026-02-14T13:00:00Z', '2026-02-14T11:00:00Z'),
      'AIP-E203',
    ),
  ];
}

/** An agent that widened its own cage is held to the passport. */
function passports(): ConformanceCase[] {
  const wide = { 'boundaries.monetary_limit.per_transaction': 1_000_000, 'boundaries.allowed_actions': [] };
  const constrained = (constraints: Record<string, Value>) => known({ constraints: constraints as never });
  return [
    one('passport-inside', 'Inside both.', { 'intent.parameters.amount': 100 }, null, known()),
    one(
      'passport-widened-inside',
      'A widened cage does no harm to what the passport allows.',
      { ...wide, 'intent.parameters.amount': 100 },
      null,
      known(),
    ),
    one(
      'passport-widened-amount',
      'Nor does it help.',
      { ...wide, 'intent.parameters.amount': 101 },
      'AIP-E202',
      known(),
    ),
    one(
      'passport-widened-action',
      'An action that only the envelope allows.',
      { ...wide, 'intent.action': 'delete_records' },
      'AIP-E200',
      known(),
    ),
    one(
      'passport-denied',
      'An action that the passport denies.',
      wide,
      'AIP-E201',
      known({ denied_actions: ['transfer_funds'] }),
    ),
    one(
      'passport-narrowed',
      'An envelope may narrow what the passport allows.',
      { 'boundaries.monetary_limit.per_transaction': 10, 'intent.parameters.amount': 11 },
      'AIP-E202',
      known(),
    ),
    one(
      'passport-narrowed-action',
      'Also its actions.',
      { 'boundaries.allowed_actions': ['read_invoice'], 'intent.parameters.amount': 1 },
      'AIP-E200',
      known(),
    ),
    one(
      'passport-geo',
      'A passport that restricts the country asks for it.',
      {},
      'AIP-E204',
      constrained({ geo_restriction: ['US'] }),
    ),
    one(
      'passport-window',
      'The window of the passport.',
      {},
      'AIP-E203',
      constrained({ time_window: { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' } }),
    ),
    one(
      'passport-domain',
      'A constraint that AIP-1 has no word for.',
      { 'intent.parameters.email': 'a@evil.example' },
      'AIP-E206',
      constrained({ allowed_domains: ['acme.com'] }),
    ),
    one('passport-bound', 'Another.', { 'intent.parameters.count': 5 }, 'AIP-E207', constrained({ max_count: 4 })),
    one('passport-required', 'And another.', {}, 'AIP-E208', constrained({ require_ticket: true })),
    one(
      'passport-daily',
      'The daily limit of the passport.',
      {},
      'AIP-E202',
      constrained({ daily_limit: 199, currency: 'USD' }),
    ),
  ];
}
