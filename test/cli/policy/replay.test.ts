import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { household } from '../../kit/native/household.js';

async function logged(params: 'masked' | 'none' = 'masked') {
  const home = household({ env: { AIP_LOG_PARAMS: params } });
  const made = await home.run(
    ...['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'refund', '--monetary-limit', '100'],
    ...['--key-store', 'file', '--out', home.at('bot.json')],
  );
  expect(made.code, made.err).toBe(0);
  for (const amount of [5, 80, 150]) {
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund', '--param', `amount:=${amount}`);
    await home.run('intent', 'verify', home.file('intent.json', signed.out));
  }
  const document = JSON.parse(readFileSync(home.at('bot.json'), 'utf8')) as { constraints: object };
  const draft = (limit: number): string =>
    home.file(
      'next.json',
      JSON.stringify({ ...document, constraints: { ...document.constraints, monetary_limit: limit } }),
    );
  return { home, draft };
}

interface Report {
  total: number;
  refused_to_accepted: { count: number; money: Record<string, number>; by: Record<string, number> };
  accepted_to_refused: { count: number; by: Record<string, number> };
  unchanged: { count: number };
  not_decidable: { count: number; by: Record<string, number> };
}

test('a draft, against the log of this machine, and nothing is written', async () => {
  const { home, draft } = await logged();
  const before = readFileSync(home.state);
  const wider = await home.json<Report>('policy', 'replay', '--passport', draft(200), '--since', '7d');
  expect(wider.code).toBe(0);
  expect(Object.keys(wider.value)).toEqual([
    ...['agent_id', 'passport', 'since', 'until', 'total', 'seeded'],
    ...['refused_to_accepted', 'accepted_to_refused', 'unchanged', 'not_decidable'],
  ]);
  expect(wider.value).toMatchObject({
    total: 3,
    refused_to_accepted: { count: 1, money: { USD: 150 }, by: { 'AIP-E202': 1 } },
    unchanged: { count: 2 },
  });
  const narrower = await home.run('policy', 'replay', '-p', draft(50));
  expect(narrower.out).toMatch(/accepted -> refused +1  80 USD\n +AIP-E202  1/);
  expect(readFileSync(home.state).equals(before)).toBe(true);
});

test('what the log dropped is not guessed', async () => {
  const { home, draft } = await logged('none');
  const { value } = await home.json<Report>('policy', 'replay', '-p', draft(50), '--since', '1h');
  expect(value.not_decidable).toMatchObject({ count: 3, by: { params_dropped: 3 } });
  expect([value.total, value.unchanged.count]).toEqual([3, 0]);
});

test('wrong flags end with 2, a passport that is none with 3, and a span without entries says so', async () => {
  const { home, draft } = await logged();
  expect((await home.run('policy', 'replay')).code).toBe(2);
  expect((await home.run('policy', 'replay', '-p', home.at('none.json'))).code).toBe(3);
  expect((await home.run('policy', 'replay', '-p', home.file('x.json', '{}'))).code).toBe(3);
  expect((await home.run('policy', 'replay', '-p', draft(5), '--since', 'soon')).code).toBe(2);
  const none = await home.run('policy', 'replay', '-p', draft(5), '--since', '1s', '--until', '1s');
  expect([none.code, none.err]).toMatchObject([0, expect.stringContaining('holds no verification')]);
});
