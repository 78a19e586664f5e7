import { expect, test } from 'vitest';
import { household, type Household } from '../../kit/native/household.js';

/** Two agents, six entries. */
async function logged(): Promise<Household> {
  const home = household();
  for (const name of ['bot', 'other']) await home.agent(name);
  for (const name of ['bot', 'other', 'bot', 'other', 'other', 'bot']) {
    const signed = await home.run('intent', 'sign', '-p', name, '-a', 'refund', '--param', 'amount:=5');
    await home.run('intent', 'verify', home.file('intent.json', signed.out));
  }
  return home;
}

test('each entry of a selection is shown to be in the log', async () => {
  const home = await logged();
  const { out, err } = await home.run('logs', 'export', '--agent', 'bot');
  const lines = out.trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as Record<string, any>);
  expect(entries.map(({ seq, checkpoint }) => [seq, typeof checkpoint] as unknown[])).toEqual([
    [1, 'string'],
    [3, 'undefined'],
    [6, 'undefined'],
  ]);
  expect(err).toContain('3 entries exported');
  const logId = (await home.json<{ log_id: string }>('logs', 'verify')).value.log_id;
  const file = (text: string): string => home.file('part.jsonl', text);
  const verify = async (text: string): Promise<number> => (await home.run('logs', 'verify', '--file', file(text))).code;
  const whole = await home.json<object>('logs', 'verify', '--file', file(out));
  expect([whole.code, whole.value]).toMatchObject([
    0,
    { ok: true, count: 3, head: { seq: 6 }, log_id: logId, checkpoint: { seq: 6, time: null } },
  ]);
  const shown = (await home.run('logs', 'verify', '--file', file(lines.slice(0, 2).join('\n')))).out;
  expect(shown).toMatch(
    new RegExp(
      `^ok 2 entries are in the log that the checkpoint names\n  last        3  [0-9a-f]{64}\n  log         ${logId}\n  checkpoint  6  of the tree\n$`,
    ),
  );

  const forged: [string, (entry: Record<string, any>) => void][] = [
    ['another amount', (entry) => (entry['params'].amount = 6)],
    ['another code', (entry) => (entry['error_code'] = 'AIP-E202')],
    ['another number', (entry) => (entry['seq'] = 4)],
    ['another place', (entry) => (entry['inclusion'].index = 3)],
    ['a shorter path', (entry) => entry['inclusion'].hashes.pop()],
    ['no path', (entry) => (entry['inclusion'] = null)],
    ['no path, as an entry of the first version', (entry) => Object.assign(entry, { salts: null, inclusion: null })],
    ['a path with more beside it', (entry) => (entry['inclusion'].paid = true)],
    ['a list of what is gone that is none', (entry) => (entry['erased'] = 'paid')],
    ['a member of the leaf that no entry has', (entry) => (entry['commitments'] = { paid: true })],
    ['another hash', (entry) => (entry['hash'] = 'a'.repeat(64))],
  ];
  for (const [what, change] of forged) {
    const copy = structuredClone(entries[1]!);
    change(copy);
    const text = [lines[0], JSON.stringify(copy), lines[2]].join('\n');
    const { code, value } = await home.json<{ first_bad_seq: number }>('logs', 'verify', '--file', file(text));
    expect([what, code, value.first_bad_seq]).toEqual([what, 15, what === 'another number' ? 4 : 3]);
  }
  expect(await verify([lines[0], lines[2], lines[1]].join('\n'))).toBe(15);
  expect(await verify([lines[0], lines[1], lines[1]].join('\n'))).toBe(15);
  expect(await verify([lines[0], lines[0]].join('\n'))).toBe(15);
  // An entry of the first version proves nothing, and none of it can come before the tree of a log that began with this one.
  const early = { ...structuredClone(entries[0]!), salts: null, inclusion: null, params: { amount: 7 } };
  expect(await verify(JSON.stringify(early))).toBe(15);
  expect(await verify([early, entries[1]].map((each) => JSON.stringify(each)).join('\n'))).toBe(15);
  // A checkpoint of the chain says nothing of a part of it.
  const chain = home.file('chain.json', (await home.run('logs', 'checkpoint', '--principal', 'did:web:acme.com')).out);
  const held = await home.failure('logs', 'verify', '--file', file(out), '--checkpoint', chain);
  expect([held.exit_code, held.message]).toEqual([2, expect.stringContaining('no other')]);
  // Without its checkpoint it is a chain with holes.
  expect(await verify(lines.slice(1).join('\n'))).toBe(15);
  // Who took a value away cannot be read from it, and that is said.
  await home.run('logs', 'erase', '--entry', '3', '--yes');
  const left = file((await home.run('logs', 'export', '--agent', 'bot')).out);
  expect(await home.run('logs', 'verify', '--file', left)).toMatchObject({
    code: 0,
    err: expect.stringContaining('From 1 entry values were taken') as string,
  });
});

test('elsewhere the key of the verifier has to be named', async () => {
  const home = await logged();
  const { out } = await home.run('logs', 'export', '--since', '1h');
  const { err } = await home.run('logs', 'checkpoint');
  const key = /signed by (ed25519:[0-9a-f]{64})/.exec(err)![1]!;
  const other = household();
  const file = other.file('part.jsonl', out);
  expect((await other.run('logs', 'verify', '--file', file)).code).toBe(15);
  expect((await other.run('logs', 'verify', '--file', file, '--public-key', key)).code).toBe(0);
});

test('a whole export stays a chain, and the forms of others hold entries alone', async () => {
  const home = await logged();
  const whole = (await home.run('logs', 'export')).out.trim().split('\n');
  expect([whole.length, whole.some((line) => line.includes('"inclusion"'))]).toEqual([6, false]);
  const csv = (await home.run('logs', 'export', '--format', 'csv', '--agent', 'bot')).out.trim().split('\n');
  expect([csv.length, csv[0]!.includes('inclusion')]).toEqual([4, false]);
});
