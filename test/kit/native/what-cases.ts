/** Steps 5 to 9: whether the agent may, and what comes first when several things are wrong. */
import { Cases, exitOfCode, intent, mail, operate, OPERATOR_PASSPORT, refund } from './intent-parts.js';
import { publicKeyText, agent, NOW_S, PRINCIPAL, SUPPORT } from './parts.js';
import type { StandingRow } from './vector.js';

const operator = { passports: [OPERATOR_PASSPORT] };
const OPERATOR = agent('operator');

/** Step 5. */
export function actionCases(cases: Cases): void {
  const undeclared = (name: string, action: string) =>
    cases.add(name, refund(name, { action }), 'AIP-E201', 'action', { details: { action, agent_id: SUPPORT } });
  undeclared('action-not-declared', 'delete_customer');
  undeclared('action-in-other-letter-case', 'Issue_Refund');
  undeclared('action-with-a-blank', 'issue_refund ');
  undeclared('action-with-a-look-alike', 'issue_r\u0435fund');
  undeclared('action-with-a-zero-width-joiner', 'issue_refund\u200d');
  undeclared('action-of-the-object-prototype', 'constructor');
  undeclared('action-named-proto', '__proto__');
  undeclared('action-a-wildcard', '*');
  cases.add('action-named-constructor-declared', operate('ctor', 'constructor', {}), null, null, operator);
  cases.add('action-denied', operate('denied', 'purge_cache', {}), 'AIP-E210', 'action', {
    ...operator,
    details: { action: 'purge_cache', agent_id: OPERATOR },
  });
  cases.add('action-denied-and-not-declared', operate('dropped', 'drop_database', {}), 'AIP-E210', 'action', {
    ...operator,
    codes: ['AIP-E210', 'AIP-E201'],
  });

  const ship = (name: string, params: object, codes: number, details = {}) =>
    cases.add(name, operate(name, 'ship', params), codes === 0 ? null : 'AIP-E211', codes === 0 ? null : 'action', {
      ...operator,
      ...(codes > 0
        ? { codes: Array<string>(codes).fill('AIP-E211'), details: { agent_id: OPERATOR, ...details } }
        : {}),
    });
  ship('params-fit-the-schema', { order_id: '8472', boxes: 3 }, 0);
  ship('params-lack-what-the-schema-wants', { order_id: '8472' }, 1, { param: '' });
  ship('params-hold-what-the-schema-does-not', { order_id: '8472', boxes: 3, rush: true }, 1);
  ship('params-of-another-type', { order_id: 8472, boxes: '3' }, 2, { param: 'order_id' });
  ship('params-empty', {}, 2);
  cases.add(
    'passport-schema-not-usable',
    intent('misspelt', { agent_id: agent('misspelt'), action: 'ship', params: {} }),
    'AIP-E211',
    'action',
    { passports: ['passport-unusable-schema.json'] },
  );
}

/** Step 6: one of each code; test/vectors/constraints.json has the rest. */
export function constraintCases(cases: Cases): void {
  const over = 'intent-refund-of-10000.json';
  cases.on('the guide: a refund of $10,000', over, 'AIP-E202', 'constraints', {
    details: { requested: 10000, limit: 100, currency: 'USD', param: 'amount', agent_id: SUPPORT },
  });
  cases.add('refund-at-the-limit', refund('limit', { params: { amount: 100 } }), null, null);
  // 2^63 as RFC 8785 writes it.
  cases.add('large-integer', mail('large', { params: { to: 'ann@acme.com', id: 2 ** 63 } }), null, null);
  cases.add('refund-as-text', refund('text', { params: { amount: '99.99' } }), null, null);
  cases.add('refund-a-cent-over', refund('cent', { params: { amount: '100.01' } }), 'AIP-E202', 'constraints');
  cases.add('refund-in-euros', refund('eur', { params: { amount: 5, currency: 'EUR' } }), 'AIP-E202', 'constraints');
  for (const [name, amount] of Object.entries({ negative: -50, 'half-a-cent': 0.005, 'a-list': [50], words: 'all' }))
    cases.add(`refund-${name}`, refund(name, { params: { amount } }), 'AIP-E211', 'constraints');
  cases.add('mail-inside', mail('mail'), null, null);
  cases.add('mail-to-evil', mail('evil', { params: { to: 'attacker@evil.com' } }), 'AIP-E203', 'constraints', {
    details: { requested_domain: 'evil.com', allowed_domains: ['acme.com'], param: 'to', agent_id: SUPPORT },
  });
  const suffix = { params: { to: 'a@acme.com.evil.com' } };
  cases.add('mail-to-a-longer-name', mail('suffix', suffix), 'AIP-E203', 'constraints');
  const hidden = { params: { to: 'a@acme.com, b@evil.com' } };
  cases.add('mail-with-a-second-address', mail('hidden', hidden), 'AIP-E203', 'constraints');
  const both = { params: { to: 'attacker@evil.com', amount: 101 } };
  cases.add('over-the-limit-and-to-evil', mail('both', both), 'AIP-E202', 'constraints', {
    codes: ['AIP-E202', 'AIP-E203'],
  });

  const may = (name: string, action: string, params: object, more = {}) =>
    cases.add(name, operate(name, action, params), null, null, { ...operator, ...more });
  const mayNot = (name: string, action: string, params: object, code: string, more = {}) =>
    cases.add(name, operate(name, action, params), code, 'constraints', { ...operator, ...more });
  may('symbol-allowed', 'place_order', { symbol: 'ACME' });
  mayNot('symbol-not-allowed', 'place_order', { symbol: 'EVIL' }, 'AIP-E204', { details: { param: 'symbol' } });
  mayNot('region-not-allowed', 'scale_service', { region: 'mars-1' }, 'AIP-E206', { details: { param: 'region' } });
  mayNot('tag-denied', 'publish', { tags: ['docs', 'production'] }, 'AIP-E206', { details: { param: 'tags' } });
  mayNot('too-many-instances', 'scale_service', { desired_count: 11 }, 'AIP-E207', { details: { limit: 10 } });
  mayNot('too-few-replicas', 'scale_service', { replicas: 1 }, 'AIP-E207', { details: { limit: 2 } });
  may('second-order-of-the-hour', 'place_order', {}, { before: ['intent-symbol-allowed.json'] });
  mayNot('third-order-of-the-hour', 'place_order', {}, 'AIP-E205', {
    before: ['intent-symbol-allowed.json', 'intent-second-order-of-the-hour.json'],
    details: { limit: 2, window: 'hour', used: 2, retry_after_s: 3600 },
  });
  may(
    'cancelled-order-of-the-hour',
    'cancel_order',
    {},
    {
      before: ['intent-symbol-allowed.json', 'intent-second-order-of-the-hour.json'],
    },
  );
  cases.on('an order refused for its rate, again', 'intent-third-order-of-the-hour.json', 'AIP-E301', 'nonce', {
    ...operator,
    before: [
      'intent-symbol-allowed.json',
      'intent-second-order-of-the-hour.json',
      'intent-third-order-of-the-hour.json',
    ],
    details: { first_result: 'AIP-E205' },
  });
  may(
    'order-after-a-refused-one',
    'place_order',
    {},
    {
      before: ['intent-symbol-allowed.json', 'intent-symbol-not-allowed.json'],
    },
  );
  may('published-once', 'publish', {});
  mayNot('published-twice', 'publish', {}, 'AIP-E205', {
    before: ['intent-published-once.json'],
    details: { limit: 1 },
  });
  may('paid-150', 'pay', { amount: 150 });
  may('paid-the-rest-of-the-day', 'pay', { amount: 100 }, { before: ['intent-paid-150.json'] });
  mayNot('paid-a-cent-more-than-the-day-has', 'pay', { amount: '100.01' }, 'AIP-E212', {
    before: ['intent-paid-150.json'],
    details: { requested: 100.01, spent: 150, limit: 250, window: '24h', agent_id: OPERATOR },
  });
  const second = { before: ['intent-paid-150.json'], codes: ['AIP-E202', 'AIP-E212'] };
  mayNot('over-both-limits-of-money', 'pay', { amount: 201 }, 'AIP-E202', second);
  mayNot(
    'four-things-at-once',
    'scale_service',
    {
      region: 'mars-1',
      tags: 'production',
      desired_count: 99,
      replicas: 0,
      symbol: 'EVIL',
    },
    'AIP-E204',
    { codes: ['AIP-E204', 'AIP-E206', 'AIP-E206', 'AIP-E207', 'AIP-E207'] },
  );

  const ticketed = (name: string, params: object, code: string | null) =>
    cases.add(
      name,
      intent(name, { agent_id: agent('ticketed'), action: 'restart', params }),
      code,
      code === null ? null : 'constraints',
      {
        passports: ['passport-ticketed.json'],
        ...(code === null ? {} : { details: { param: 'ticket', agent_id: agent('ticketed') } }),
      },
    );
  ticketed('with-a-ticket', { ticket: 'OPS-1' }, null);
  ticketed('without-a-ticket', {}, 'AIP-E208');
  ticketed('with-an-empty-ticket', { ticket: '' }, 'AIP-E208');

  const bought = (name: string, amount: number) =>
    cases.file(name, intent(name, { agent_id: agent('buyer'), action: 'buy', params: { amount } }));
  const buyer = { passports: ['passport-approval-above-50.json'] };
  cases.on('no approval needed at 50', bought('bought-for-50', 50), null, null, buyer);
  const dear = bought('bought-for-51', 51);
  cases.on('approval needed above 50', dear, 'AIP-E209', 'constraints', buyer);
  cases.on('still open while it waits for approval', dear, 'AIP-E209', 'constraints', { ...buyer, before: [dear] });

  const clerk = { passports: ['passport-office-hours.json'] };
  const report = cases.file(
    'report',
    intent('report', { agent_id: agent('clerk'), action: 'file_report', params: {}, timestamp: NOW_S }),
  );
  const week = { ...clerk, max_age_s: 604_800 };
  cases.on('in office hours, from an allowed country', report, null, null, { ...clerk, geo: 'US' });
  cases.on('from a country that is not allowed', report, 'AIP-E214', 'constraints', {
    ...clerk,
    geo: 'FR',
    details: { requested: 'FR', allowed: ['US', 'CA'], agent_id: agent('clerk') },
  });
  cases.on('from nobody knows where', report, 'AIP-E214', 'constraints', { ...clerk, details: { requested: null } });
  cases.on('in the evening', report, 'AIP-E213', 'constraints', { ...week, geo: 'CA', at: '2026-02-18T17:00:00Z' });
  cases.on('on a Saturday', report, 'AIP-E213', 'constraints', { ...week, geo: 'CA', at: '2026-02-21T12:00:00Z' });
  cases.on('on a Saturday, from nobody knows where', report, 'AIP-E213', 'constraints', {
    ...week,
    at: '2026-02-21T12:00:00Z',
    codes: ['AIP-E213', 'AIP-E214'],
  });
}

/** Steps 8 and 9. */
export function standingCases(cases: Cases): void {
  const file = 'intent-refund.json';
  const row = (subject: string, status: StandingRow['status'], until: string | null = null): StandingRow => ({
    subject,
    status,
    reason: 'drill',
    changed_at: '2026-02-18T14:00:00Z',
    changed_by: PRINCIPAL,
    suspended_until: until,
  });
  const standing = (name: string, rows: readonly StandingRow[], code: string | null, details = {}) =>
    cases.on(name, file, code, code === null ? null : 'revocation', {
      standing: rows,
      ...(code === null ? {} : { details: { reason: 'drill', revoked_by: PRINCIPAL, agent_id: SUPPORT, ...details } }),
    });
  standing('a revoked agent', [row(SUPPORT, 'revoked')], 'AIP-E401', { revoked_at: '2026-02-18T14:00:00.000Z' });
  standing('a suspended agent', [row(SUPPORT, 'suspended', '2026-02-18T15:00:00Z')], 'AIP-E402', {
    suspended_until: '2026-02-18T15:00:00.000Z',
  });
  standing('an agent suspended without an end', [row(SUPPORT, 'suspended')], 'AIP-E402', { suspended_until: null });
  standing('a suspension that is over', [row(SUPPORT, 'suspended', '2026-02-18T14:23:45Z')], null);
  standing('a reinstated agent', [row(SUPPORT, 'active')], null);
  standing('a revoked principal', [row(PRINCIPAL, 'revoked')], 'AIP-E403', { principal: PRINCIPAL });
  standing('a suspended principal', [row(PRINCIPAL, 'suspended', '2026-02-18T15:00:00Z')], 'AIP-E403');
  standing('everybody stopped', [row('*', 'revoked')], 'AIP-E403');
  standing('a revoked neighbour', [row(OPERATOR, 'revoked'), row('did:web:globex.com', 'revoked')], null);
  standing(
    'a reinstated agent of a revoked principal',
    [row(SUPPORT, 'active'), row(PRINCIPAL, 'revoked')],
    'AIP-E403',
  );
  const key = publicKeyText('agent');
  const issuer = publicKeyText('principal');
  standing("a denied key of the agent's", [row(key, 'revoked')], 'AIP-E406', { role: 'agent', subject: key });
  standing('a key of the agent denied by its id', [row(`${SUPPORT}#key-1`, 'revoked')], 'AIP-E406', {
    key_id: `${SUPPORT}#key-1`,
  });
  standing('a suspended key', [row(key, 'suspended', '2026-02-18T15:00:00Z')], 'AIP-E406', { role: 'agent' });
  standing('a denied key of the issuer', [row(issuer, 'revoked')], 'AIP-E406', { role: 'issuer', subject: issuer });
  standing('a key of the issuer denied by its id', [row(`${PRINCIPAL}#key-1`, 'revoked')], 'AIP-E406', {
    role: 'issuer',
  });
  standing('a reinstated key', [row(key, 'active')], null);
  standing('another key denied', [row(publicKeyText('stranger'), 'revoked')], null);
  standing('a suspension of a key that is over', [row(key, 'suspended', '2026-02-18T14:23:45Z')], null);
  cases.on('a denied key of a revoked agent', file, 'AIP-E401', 'revocation', {
    standing: [row(SUPPORT, 'revoked'), row(key, 'revoked')],
    codes: ['AIP-E401', 'AIP-E406'],
  });
  cases.on('a revoked agent of a suspended principal, in a stale copy', file, 'AIP-E401', 'revocation', {
    standing: [row(SUPPORT, 'revoked'), row(PRINCIPAL, 'suspended', '2026-02-18T15:00:00Z')],
    codes: ['AIP-E401', 'AIP-E403'],
    copy: { age_ms: 60_000, on_stale: 'deny' },
  });
  // --at moves the clock of freshness, never that of standing.
  cases.on('a suspension judged as of a time after it', file, 'AIP-E402', 'revocation', {
    standing: [row(SUPPORT, 'suspended', '2026-02-18T14:24:00Z')],
    at: '2026-02-18T14:25:00Z',
  });
  cases.on('a stale copy of the revocations, where that is refused', file, 'AIP-E405', 'revocation', {
    copy: { age_ms: 60_000, on_stale: 'deny' },
    details: { age_ms: 60_000, max_age_ms: 30_000, agent_id: SUPPORT },
  });
  cases.on('no copy of the revocations yet, where that is refused', file, 'AIP-E405', 'revocation', {
    copy: { age_ms: null, on_stale: 'deny' },
  });
  cases.on('a stale copy of the revocations, judged as last known', file, null, null, {
    copy: { age_ms: 60_000, on_stale: 'last-known' },
  });
  cases.on('a fresh copy of the revocations', file, null, null, { copy: { age_ms: 30_000, on_stale: 'deny' } });
  // More than an agent starts with.
  cases.on('too low a trust score', file, 'AIP-E404', 'trust', {
    min_trust: 0.9,
    details: { minimum: 0.9, agent_id: SUPPORT },
  });
  cases.on('a revoked agent without a trust score', file, 'AIP-E401', 'revocation', {
    min_trust: 0.9,
    standing: [row(SUPPORT, 'revoked')],
  });
}

/** An intent that is wrong in two steps reports the earlier one. */
export function orderCases(cases: Cases): void {
  const old = { timestamp: NOW_S - 400 };
  const revoked = cases.vectors.find(({ name }) => name === 'a revoked agent')!.standing!;
  const edited = { passports: ['passport-edited-limit.json'] };
  const expired = { passports: ['passport-expired.json'] };
  const refund10000 = 'intent-refund-of-10000.json';
  const before = ['intent-refund.json'];
  const on = (name: string, file: string, code: string, failed: Parameters<Cases['on']>[3], more = {}) =>
    cases.on(`order: ${name}`, file, code, failed, { codes: [code], exit: exitOfCode(code), ...more });
  on('edited passport before bad signature', 'intent-amount-changed.json', 'AIP-E103', 'passport', edited);
  on('expired passport before bad signature', 'intent-amount-changed.json', 'AIP-E104', 'passport', expired);
  on('unknown agent before bad signature', 'intent-amount-changed.json', 'AIP-E102', 'passport', { passports: [] });
  on('edited passport before an expired nonce', 'intent-refund.json', 'AIP-E103', 'passport', { ...edited, before });
  on('bad signature before replay', 'intent-amount-changed.json', 'AIP-E101', 'signature', { before });
  on('bad signature before revocation', 'intent-amount-changed.json', 'AIP-E101', 'signature', { standing: revoked });
  on('replay before age', 'intent-refund.json', 'AIP-E301', 'nonce', { before, at: '2026-02-18T15:23:45Z' });
  on('replay before revocation', 'intent-refund.json', 'AIP-E301', 'nonce', { before, standing: revoked });
  const two = (name: string, changes: object) => cases.file(name, refund(name, changes));
  on('form of the nonce before age', two('nonce-not-hex-and-old', { nonce: 'x', ...old }), 'AIP-E304', 'nonce');
  on('age before action', two('old-and-not-declared', { action: 'wire', ...old }), 'AIP-E302', 'timestamp');
  on('age before amount', two('old-and-over-the-limit', { params: { amount: 101 }, ...old }), 'AIP-E302', 'timestamp');
  on(
    'future before amount',
    two('ahead-and-over', { params: { amount: 101 }, timestamp: NOW_S + 99 }),
    'AIP-E303',
    'timestamp',
  );
  on(
    'action before amount',
    two('not-declared-and-over', { action: 'wire', params: { amount: 101 } }),
    'AIP-E201',
    'action',
  );
  on('action before revocation', 'intent-action-not-declared.json', 'AIP-E201', 'action', { standing: revoked });
  const deniedAndOver = operate('denied-and-over', 'purge_cache', { amount: 10_000 });
  on('denial before amount', cases.file('denied-and-over', deniedAndOver), 'AIP-E210', 'action', operator);
  on('amount before revocation', refund10000, 'AIP-E202', 'constraints', { standing: revoked });
  on('approval before revocation', 'intent-bought-for-51.json', 'AIP-E209', 'constraints', {
    passports: ['passport-approval-above-50.json'],
    standing: [{ ...revoked[0]!, subject: agent('buyer') }],
  });
  on('revocation before a stale copy', 'intent-refund.json', 'AIP-E401', 'revocation', {
    standing: revoked,
    copy: { age_ms: null, on_stale: 'deny' },
  });
}
