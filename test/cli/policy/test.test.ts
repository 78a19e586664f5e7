import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { world, type World } from '../../kit/world.js';

const PASSPORT = {
  ...{ version: 1, serial: 3, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{
    principal: 'did:web:acme.com',
    key_id: 'did:web:acme.com:agents:bot#key-1',
    public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  },
  actions: ['issue_refund', 'send_email'],
  constraints: { monetary_limit: 100, currency: 'USD', rate_limit: '2/hour', allowed_domains: ['acme.com'] },
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
};
const refund = (amount: number, more: object = {}) => ({ action: 'issue_refund', params: { amount }, ...more });

function placed(cases: unknown, passport: object = PASSPORT): World & { cases: string } {
  const place = world();
  place.file('policy/bot.passport.json', JSON.stringify(passport));
  return { ...place, cases: place.file('policy/cases.json', JSON.stringify(cases)) };
}

const named = (name: string, intent: object, expect: string, more: object = {}) => ({
  ...{ name, passport: 'bot.passport.json', now: '2026-02-18T12:00:00Z', intent, expect },
  ...more,
});

test('where there are no cases, what one is can be read', async () => {
  const place = world();
  const { code, err } = await place.run('policy', 'test', dirname(place.file('policy/README.md', '')));
  expect([code, err]).toEqual([2, 'error: There are no cases to run. [USAGE]\nhint: aip help policy\n']);
});

test('cases are judged by the real verifier, each on a state of its own', async () => {
  const place = placed([
    named('within', refund(100), 'accept'),
    named('one minor unit past', refund(100.01), 'AIP-E202', { details: { limit: 100 } }),
    named('third of the hour', refund(1), 'AIP-E205', { history: [refund(1), refund(2)] }),
    named('second of the hour', refund(1), 'accept', { history: [refund(1)] }),
    named('undeclared', { action: 'deploy' }, 'AIP-E201'),
    named('elsewhere', { action: 'send_email', params: { recipient: 'eve@evil.example' } }, 'AIP-E203'),
    named('replayed', refund(1, { nonce: 'ab'.repeat(16) }), 'AIP-E301', {
      history: [refund(1, { nonce: 'ab'.repeat(16) })],
    }),
    named('old', refund(1, { timestamp: 1771415000 }), 'AIP-E302'),
    named(
      'forged',
      {
        ...refund(1),
        agent_id: PASSPORT.agent_id,
        timestamp: 1771416000,
        nonce: 'ab'.repeat(16),
        signature: '0'.repeat(128),
      },
      'AIP-E101',
    ),
  ]);
  const { code, out, err } = await place.run('policy', 'test', place.cases, '--json');
  expect(err).toBe('');
  const report = JSON.parse(out) as { cases: { name: string; actual: string; reason: string | null }[] };
  expect(report.cases.filter(({ reason }) => reason !== null)).toEqual([]);
  expect([code, report]).toMatchObject([0, { total: 9, passed: 9, failed: 0, coverage: null }]);
  const again = await place.run('policy', 'test', place.cases, '--json');
  expect(again.out).toBe(out);
});

test('a case that is not as expected fails, in every format', async () => {
  const place = placed(named('too much <b>', refund(500), 'accept'));
  for (const format of ['human', 'json', 'junit', 'sarif', 'github']) {
    const one = placed(named('too much <b>', refund(500), 'accept'));
    const { code, out } = await one.run('policy', 'test', one.cases, '--format', format);
    expect([format, code]).toEqual([format, 15]);
    expect(out).toContain('AIP-E202');
    if (format === 'junit') expect(out).not.toContain('<b>');
  }
  const wrong = placed(named('another fact', refund(500), 'AIP-E202', { details: { limit: 99 } }));
  expect((await wrong.run('policy', 'test', wrong.cases)).code).toBe(15);
  expect((await place.run('policy', 'test', place.cwd + '/policy')).code).toBe(3);
});

test('a folder of cases, a passport for those that name none, and what none has tried', async () => {
  const place = world();
  const passport = place.file('bot.json', JSON.stringify(PASSPORT));
  place.file('policy/one.json', JSON.stringify({ name: 'yes', now: 1771416000, intent: refund(5), expect: 'accept' }));
  place.file(
    'policy/deep/two.json',
    JSON.stringify([{ name: 'no', now: 1771416000, intent: refund(500), expect: 'AIP-E202' }]),
  );
  const { code, out } = await place.run('policy', 'test', `${place.cwd}/policy`, '--passport', passport, '--coverage');
  expect(code).toBe(0);
  expect(out).toContain('2 of 2 cases passed');
  expect(out).toContain('action send_email: neither a yes nor a no was tried');
  expect(out).toContain('constraint rate_limit: no refusal was tried');
  expect(out).not.toContain('action issue_refund');
  expect(out).not.toContain('monetary_limit');
});

test('a refusal counts for the limit that made it, and for no other with its code', async () => {
  const constraints = {
    ...{ monetary_limit: 100, currency: 'USD', rate_limit: '9/day', max_refunds_per_hour: 1 },
    ...{ allowed_symbols: ['A'], denied_regions: ['kp'], max_seats: 4 },
  };
  const passport = { ...PASSPORT, constraints };
  const untried = async (...cases: unknown[]): Promise<string[]> => {
    const place = placed([named('fair', refund(1), 'accept'), ...cases], passport);
    const { code, out } = await place.run('policy', 'test', place.cases, '--coverage');
    expect(code).toBe(0);
    return [...out.matchAll(/constraint (\w+): no refusal/g)].map(([, name]) => name!);
  };
  const every = Object.keys(constraints);
  const but = (...tried: string[]): string[] => every.filter((name) => !tried.includes(name));
  expect(await untried(named('more', refund(500), 'AIP-E202'))).toEqual(but('monetary_limit'));
  const euros = { action: 'issue_refund', params: { amount: 5, currency: 'EUR' } };
  expect(await untried(named('euros', euros, 'AIP-E202'))).toEqual(but('currency'));
  const coded = { action: 'issue_refund', params: { amount: 5, currency_code: 'EUR' } };
  expect(await untried(named('coded', coded, 'AIP-E202'))).toEqual(but('currency'));
  const second = named('second', refund(1), 'AIP-E205', { history: [refund(1)] });
  expect(await untried(second)).toEqual(but('max_refunds_per_hour'));
  const deep = (params: object) => ({ action: 'issue_refund', params });
  expect(await untried(named('symbol', deep({ symbol: 'B' }), 'AIP-E204'))).toEqual(but('allowed_symbols'));
  expect(await untried(named('region', deep({ region: 'KP' }), 'AIP-E206'))).toEqual(but('denied_regions'));
  expect(await untried(named('seats', deep({ seats: 5 }), 'AIP-E207'))).toEqual(but('max_seats'));
});

test.each([
  ['nothing', [], 3],
  ['no name', { intent: refund(1), expect: 'accept' }, 3],
  ['an odd expectation', named('x', refund(1), 'maybe'), 3],
  ['an unknown member', { ...named('x', refund(1), 'accept'), hook: 1 }, 3],
  ['a passno port from 1 to 65535', { ...named('x', refund(1), 'accept'), passport: { version: 1 } }, 3],
  ['a file that is not there', { ...named('x', refund(1), 'accept'), passport: 'missing.json' }, 3],
  ['no passport', { name: 'x', intent: refund(1), expect: 'accept' }, 3],
])('a file with %s cannot be run', async (_, cases, exit) => {
  const place = placed(cases);
  const { code, err } = await place.run('policy', 'test', place.cases);
  expect([code, err.includes('hint:')]).toEqual([exit, true]);
});

test('persons approve a case, by their ids', async () => {
  const approvers = ['ada', 'bob'].map((id, i) => ({ id, public_key: `ed25519:${String(i + 11).repeat(32)}` }));
  const asks = {
    ...PASSPORT,
    constraints: {
      allowed_domains: ['acme.com'],
      require_approval: { approvers, count: 2, actions: ['issue_refund'] },
    },
  };
  const by = (...approved_by: string[]) => ({ approved_by });
  const place = placed(
    [
      named('nobody', refund(1), 'AIP-E209'),
      named('both', refund(1), 'accept', by('ada', 'bob')),
      named('one', refund(1), 'AIP-E209', { ...by('ada'), details: { needed: 1 } }),
      named('one twice', refund(1), 'AIP-E209', by('ada', 'ada')),
      named('the principal', refund(1), 'AIP-E209', by('ada', PASSPORT.principal)),
      named('the agent', refund(1), 'AIP-E209', by('ada', PASSPORT.agent_id)),
      named('a stranger', refund(1), 'AIP-E209', by('ada', 'eve')),
      named('again', refund(1), 'accept', { ...by('ada', 'bob'), history: [refund(1)] }),
      named('elsewhere', { action: 'send_email', params: { to: 'eve@evil.example' } }, 'AIP-E203', by('ada', 'bob')),
      named('what needs nobody', { action: 'send_email' }, 'accept', by('ada')),
    ],
    asks,
  );
  const { code, out } = await place.run('policy', 'test', place.cases, '--coverage');
  expect([code, out]).toEqual([0, expect.stringContaining('every action and constraint has seen a yes and a no')]);
  place.file('policy/bot.passport.json', JSON.stringify({ ...asks, constraints: { require_approval: true } }));
  const own = place.file(
    'policy/own.json',
    JSON.stringify([named('own', refund(1), 'accept', by(PASSPORT.principal))]),
  );
  expect((await place.run('policy', 'test', own)).code).toBe(0);
});

test.each<[string, object]>([
  ['no list', { approved_by: 'ada' }],
  ['no id', { approved_by: [''] }],
  ['a signed intent', { approved_by: ['ada'], intent: { ...refund(1), signature: '0'.repeat(128) } }],
])('approved_by with %s is no case', async (_, more) => {
  const place = placed([named('x', refund(1), 'accept', more)]);
  expect(await place.run('policy', 'test', place.cases)).toMatchObject({
    code: 3,
    err: expect.stringContaining('approved_by') as string,
  });
});

test('--coverage tells by what a refusal says which limit it is of', async () => {
  const constraints = {
    ...{ monetary_limit: 100, currency: 'USD', rate_limit: '5/hour', max_refunds_per_hour: 2, max_instances: 10 },
    ...{ min_instances: 2, max_size: 10, allowed_regions: ['eu'], denied_services: ['db'], require_ticket: true },
  };
  const asked = (more: object) => ({ action: 'issue_refund', params: { ticket: 'T-1', ...more } });
  const only = async (intent: object, code: string, history: object[] = []): Promise<string[]> => {
    const place = placed([named('x', intent, code, { history })], { ...PASSPORT, constraints });
    const { out, code: exit } = await place.run('policy', 'test', place.cases, '--coverage', '--json');
    expect(exit, out).toBe(0);
    const { coverage } = JSON.parse(out) as { coverage: { constraints: { constraint: string; refused: boolean }[] } };
    return coverage.constraints.filter(({ refused }) => refused).map(({ constraint }) => constraint);
  };
  expect(await only(asked({ amount: 101 }), 'AIP-E202')).toEqual(['monetary_limit']);
  expect(await only(asked({ amount: 1, currency: 'EUR' }), 'AIP-E202')).toEqual(['currency']);
  expect(await only(asked({ desired_count: 11 }), 'AIP-E207')).toEqual(['max_instances']);
  expect(await only(asked({ config: { instances: 1 } }), 'AIP-E207')).toEqual(['min_instances']);
  expect(await only(asked({ size: 11 }), 'AIP-E207')).toEqual(['max_size']);
  expect(await only(asked({ region: 'us' }), 'AIP-E206')).toEqual(['allowed_regions']);
  expect(await only(asked({ service: 'db' }), 'AIP-E206')).toEqual(['denied_services']);
  expect(await only({ action: 'issue_refund', params: {} }, 'AIP-E208')).toEqual(['require_ticket']);
  expect(await only(asked({}), 'AIP-E205', [asked({}), asked({})])).toEqual(['max_refunds_per_hour']);
  const mail = { ...asked({}), action: 'send_email' };
  expect(await only(mail, 'AIP-E205', [mail, mail, mail, mail, mail])).toEqual(['rate_limit']);
});

test('reports for CI name the file from the top of the checkout, and the finding as what it is', async () => {
  const place = placed(named('too much', refund(500), 'accept'));
  const said = async (format: string) => (await place.run('policy', 'test', place.cases, '--format', format)).out;
  expect(await said('github')).toMatch(/^::error file=policy\/cases\.json,title=CASE_FAILED::FAILED too much /);
  expect(await said('junit')).toContain('name="too much (policy/cases.json)"');
  const [run] = (JSON.parse(await said('sarif')) as { runs: Record<string, unknown>[] }).runs;
  expect(JSON.stringify(run!.tool)).not.toContain('hook');
  expect(run).toMatchObject({
    tool: {
      driver: { rules: [{ id: 'CASE_FAILED', help: { text: expect.stringContaining('Correct the passport') } }] },
    },
    results: [
      {
        locations: [{ physicalLocation: { artifactLocation: { uri: 'policy/cases.json' } } }],
        partialFingerprints: { 'findingAndPlace/v1': 'policy/cases.json:too much:CASE_FAILED' },
      },
    ],
  });
});

test('for GitHub a case has failed, and nothing was refused', async () => {
  const place = placed(Array.from({ length: 12 }, (_, i) => named(`case ${i}`, refund(1), 'AIP-E202')));
  const { code, out } = await place.run('policy', 'test', place.cases, '--format', 'github');
  expect(code).toBe(15);
  expect(out).toContain('::FAILED case 0 by did:web:acme.com:agents:bot');
  expect(out).toContain('::notice title=aip::2 more failed cases are not annotated.');
  expect(out).not.toContain('REFUSED');
});
