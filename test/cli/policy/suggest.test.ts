import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { household, type Household } from '../../kit/native/household.js';

interface Report {
  accepted: number;
  refused: Record<string, number>;
  narrower: { path: string; before: unknown; after: unknown; why: string }[];
  kept: { path: string; why: string }[];
  replay: Record<string, number>;
  passport: { serial: number; constraints: object; actions: unknown[] };
  draft: string | null;
}

async function accept(home: Household, action: string, param: string): Promise<void> {
  const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', action, '--param', param);
  await home.run('intent', 'verify', home.file('intent.json', signed.out));
}

async function logged(): Promise<Household> {
  const home = household();
  const terms = ['-a', 'refund', '-a', 'send', '-a', 'close', '--monetary-limit', '100', '--rate-limit', '10/hour'];
  const made = await home.run(
    ...['passport', 'create', 'bot', '--domain', 'acme.com', ...terms, '--allowed-domain', 'acme.com'],
    ...['--allowed-domain', '*.acme.com', '--key-store', 'file', '--out', home.at('bot.json')],
  );
  expect(made.code, made.err).toBe(0);
  for (const amount of [5, 80, 150]) await accept(home, 'refund', `amount:=${amount}`);
  await accept(home, 'send', 'to=ann@mail.acme.com');
  return home;
}

test('line by line what would become narrower and why, and nothing is written', async () => {
  const home = await logged();
  const before = readFileSync(home.state);
  const { code, out, err } = await home.run('policy', 'suggest', '-p', 'bot', '--since', '30d');
  expect(code, err).toBe(0);
  for (const line of [
    /^3 accepted of did:web:acme\.com:agents:bot, /m,
    /^refused, and nothing is learned from it: AIP-E202 1$/m,
    /^narrower actions\.close {2}"close" -> none; {2}never accepted in that time$/m,
    /^narrower constraints\.monetary_limit {2}100 -> 80; {2}at most \$80\.00 in one action$/m,
    /^narrower constraints\.rate_limit {2}"10\/hour" -> "3\/hour"; {2}at most 3 in an hour$/m,
    /^narrower constraints\.allowed_domains {2}\["acme\.com","\*\.acme\.com"\] -> \["mail\.acme\.com"\]; /m,
    /^kept {5}constraints\.currency {2}/m,
    /^replay of 4: 0 refused to accepted, 0 accepted to refused, 4 unchanged, 0 not decidable$/m,
  ])
    expect(out).toMatch(line);
  expect(err).toContain('3 accepted over less than a day, where 20 over 7 days are the least');
  expect(err).toMatch(/^next: aip policy suggest -p bot --draft narrowest\.json$/m);
  expect(readFileSync(home.state).equals(before)).toBe(true);
});

test('one line of JSON', async () => {
  const home = await logged();
  const { value, out } = await home.json<Report>('policy', 'suggest', '-p', home.at('bot.json'));
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  expect(Object.keys(value)).toEqual([
    ...['agent_id', 'since', 'until', 'accepted', 'refused', 'narrower', 'kept', 'replay', 'passport', 'draft'],
  ]);
  expect(value).toMatchObject({
    ...{ since: null, until: null, accepted: 3, refused: { 'AIP-E202': 1 }, draft: null },
    replay: { total: 4, accepted_to_refused: 0, refused_to_accepted: 0, unchanged: 4, not_decidable: 0 },
    passport: {
      serial: 2,
      constraints: { monetary_limit: 80, currency: 'USD' },
      actions: [{ name: 'refund' }, { name: 'send' }],
    },
  });
  expect(value.passport).not.toHaveProperty('issuer_signature');
});

test('a draft that diff takes and update signs; what is needed is suggested once', async () => {
  const home = await logged();
  const draft = home.at('new.json');
  const made = await home.run('policy', 'suggest', '-p', 'bot', '--draft', draft);
  expect(made.out).toContain('A person reads it before it is signed.');
  expect(made.err).toContain(`next: aip policy diff bot ${draft}\nthen: aip passport update bot --from ${draft}`);
  const byUpdate = home.at('update.json');
  await home.run('passport', 'update', 'bot', '--monetary-limit', '7', '--draft', byUpdate);
  expect(statSync(draft).mode).toBe(statSync(byUpdate).mode);
  const members = (path: string) => Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object);
  expect(members(draft)).toEqual(members(byUpdate));
  const { value } = await home.json<{ differences: { direction: string }[] }>('policy', 'diff', 'bot', draft);
  expect(new Set(value.differences.map(({ direction }) => direction))).toEqual(new Set(['narrower']));
  expect((await home.run('passport', 'update', 'bot', '--from', draft, '--yes')).code).toBe(0);
  const again = await home.run('policy', 'suggest', '-p', 'bot', '--draft', home.at('again.json'));
  expect(again.out).toContain('nothing would become narrower');
  expect(again.err).toContain(`${home.at('again.json')} was not written: it would allow what the passport allows.`);
  expect(() => statSync(home.at('again.json'))).toThrow('ENOENT');
});

test('a draft on stdout, and no file that stands already', async () => {
  const home = await logged();
  const printed = await home.run('policy', 'suggest', '-p', 'bot', '--draft', '-');
  expect((JSON.parse(printed.out) as Report['passport']).serial).toBe(2);
  const taken = home.file('taken.json', '{}');
  expect((await home.run('policy', 'suggest', '-p', 'bot', '--draft', taken)).code).toBe(2);
  expect(readFileSync(taken, 'utf8')).toBe('{}');
  expect((await home.run('policy', 'suggest', '-p', 'bot', '--draft', home.at('bot.json'), '--force')).code).toBe(2);
  expect((await home.json<Report>('policy', 'suggest', '-p', 'bot', '--draft', taken, '--force')).value.draft).toBe(
    taken,
  );
  expect((await home.run('policy', 'suggest', '-p', 'bot', '--draft', '-', '--json')).code).toBe(2);
});

test('wrong flags end with 2; no passport, and nothing accepted, with 3', async () => {
  const home = await logged();
  expect((await home.run('policy', 'suggest')).code).toBe(2);
  expect((await home.run('policy', 'suggest', '-p', 'bot', '--since', 'soon')).code).toBe(2);
  expect((await home.run('policy', 'suggest', '-p', 'nobody')).code).toBe(3);
  const failure = await home.failure('policy', 'suggest', '-p', 'bot', '--until', '2020-01-01');
  expect(failure).toMatchObject({
    code: 'NOT_FOUND',
    exit_code: 3,
    hint: expect.stringContaining('--since') as string,
  });
});

test('names that an agent made up do nothing to a terminal', async () => {
  const home = household();
  await home.agent('bot');
  await accept(home, 'refund', '\u001b[2Jevil\n::error::x=1');
  const { out } = await home.run('policy', 'suggest', '-p', 'bot');
  expect(out).toMatch(/^narrower actions\.refund .*evil/m);
  expect(out).not.toMatch(/\u001b|^::/m);
  const { value, out: json } = await home.json<Report>('policy', 'suggest', '-p', 'bot');
  expect(json).not.toMatch(/\u001b/);
  expect(JSON.stringify(value.passport.actions)).toContain('evil');
});
