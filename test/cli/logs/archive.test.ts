import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { START } from '../../../src/protocol/log/chain.js';
import { seal } from '../../kit/state/sealed.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { GUIDE_RULES, type TrustRules } from '../../../src/trust/rules.js';
import { inHome, writePast, type Past } from '../../kit/history.js';
import { AGENT, draft, OTHER, T0 } from '../../kit/state/drafts.js';
import { world } from '../../kit/world.js';

const DAY = 24 * 3_600_000;

interface Report {
  readonly ok: boolean;
  readonly count: number;
  readonly first_bad_seq: number | null;
  readonly reason: string | null;
  readonly checkpoint: { readonly seq: number } | null;
  readonly pruned: number;
}

async function home(past: Past) {
  const at = world({ stdin: '', env: { AIP_KEY_PASSPHRASE: 'correct horse battery' } });
  const dir = join(at.cwd, 'home');
  const run = (...args: string[]) => at.run(...args, '--home', dir);
  const { code, err } = await run('init', '--domain', 'acme.com', '--key-store', 'file', '--yes');
  expect([code, err]).toEqual([0, expect.any(String) as string]);
  writePast(dir, past);
  const sql = (statement: string): void => {
    const database = new Database(join(dir, 'state.db'), 0);
    database.exec(statement);
    database.close();
  };
  const verify = async (...args: string[]) => {
    const found = await run('logs', 'verify', '--json', ...args);
    return { code: found.code, err: found.err, report: JSON.parse(found.out || 'null') as Report };
  };
  return { at, dir, run, sql, verify };
}

/** One a day, the newest now. */
const days = (n: number): Past =>
  Array.from({ length: n }, (_, i) => ({
    at: T0 - (n - 1 - i) * DAY,
    agent_id: i % 3 === 0 ? OTHER : AGENT,
    ...(i % 5 === 4 ? { error_code: 'AIP-E202' } : {}),
  }));

/** Cuts the log after `seq`, as someone would who can write the file and knows how. */
const cut = (seq: number): string =>
  `DELETE FROM entries WHERE seq > ${seq};
   UPDATE head SET seq = ${seq}, hash = (SELECT hash FROM entries WHERE seq = ${seq})`;

/** The text with another hex digit at `place`. */
const otherDigit = (text: string, place: RegExp): string => text.replace(place, (digit) => (digit === '0' ? '1' : '0'));

describe('aip logs checkpoint', () => {
  test('makes a cut-off end visible, and tells where', async () => {
    const { run, sql, verify } = await home(days(10));
    expect((await verify()).report).toMatchObject({ ok: true, checkpoint: null });
    const { code, out } = await run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type: 'log-checkpoint', seq: 10, key_id: 'did:web:acme.com#key-1' });
    expect((await verify()).report).toMatchObject({ ok: true, checkpoint: { seq: 10 } });
    sql(cut(7));
    const { code: broken, report } = await verify();
    expect([broken, report]).toEqual([15, expect.objectContaining({ ok: false, first_bad_seq: 8 }) as Report]);
  });

  test('kept elsewhere finds what was cut together with the copy beside the log', async () => {
    const { at, run, sql, verify } = await home(days(10));
    const file = join(at.cwd, 'checkpoint.json');
    await run('logs', 'checkpoint', '--principal', 'did:web:acme.com', '--out', file);
    // The older checkpoint may be the only one that finds a cut.
    const before = readFileSync(file, 'utf8');
    const again = await run('logs', 'checkpoint', '--principal', 'did:web:acme.com', '--out', file);
    expect([again.code, readFileSync(file, 'utf8')]).toEqual([2, before]);
    expect((await run('logs', 'checkpoint', '--principal', 'did:web:acme.com', '--out', file, '--force')).code).toBe(0);
    sql(`DELETE FROM statements; ${cut(7)}`);
    expect((await verify()).report).toMatchObject({ ok: true, count: 7 });
    expect((await verify('--checkpoint', file)).report).toMatchObject({ ok: false, first_bad_seq: 8 });
  });

  test('finds a log that was written anew from some place on', async () => {
    const { dir, run, sql, verify } = await home(days(10));
    await run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    sql(cut(7));
    writePast(dir, days(5));
    expect((await verify()).report).toMatchObject({ ok: false, first_bad_seq: 10 });
  });

  test('signs nothing that is broken or empty', async () => {
    const { run, sql } = await home(days(4));
    sql("UPDATE entries SET code = 'AIP-E999' WHERE seq = 2");
    const broken = await run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    expect([broken.code, broken.out]).toEqual([15, '']);
    const empty = await (await home([])).run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    expect([empty.code, empty.out]).toEqual([2, '']);
  });

  test('signs with no key that is not here', async () => {
    const { run } = await home(days(1));
    expect((await run('logs', 'checkpoint', '--principal', 'did:web:other.com')).code).toBe(4);
    expect((await run('logs', 'checkpoint', '--principal', 'other')).code).toBe(2);
  });

  test.each([
    ['a later entry', (text: string) => text.replace('"seq":4', '"seq":3'), 15],
    ['another hash', (text: string) => otherDigit(text, /(?<="hash":")./), 15],
    ['another signature', (text: string) => otherDigit(text, /(?<="signature":")./), 15],
    ['another log', (text: string) => text.replace(/"log_id":"../, '"log_id":"zz'), 2],
    ['a stranger’s key', (text: string) => otherDigit(text, /(?<=ed25519:)./), 15],
    ['a member more', (text: string) => text.replace('{', '{"x":1,'), 3],
    ['a member twice', (text: string) => text.replace('{', '{"seq":4,'), 3],
    ['nothing', () => '', 3],
  ])('with %s it is not believed', async (_, change, code) => {
    const { at, run, verify } = await home(days(4));
    const { out } = await run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    expect(change(out)).not.toBe(out);
    const file = at.file('checkpoint.json', change(out));
    expect((await verify('--checkpoint', file)).code).toBe(code);
    expect((await verify('--checkpoint', at.file('good.json', out))).code).toBe(0);
  });

  test('beside the log that nobody trusted signed is not used, and that is said', async () => {
    const { run, sql, verify } = await home(days(4));
    await run('logs', 'checkpoint', '--principal', 'did:web:acme.com');
    sql(`UPDATE statements SET text = replace(text, '"seq":4', '"seq":9')`);
    const { report, err } = await verify();
    expect(report).toMatchObject({ ok: true, checkpoint: null });
    expect(err).toContain('untrusted_statements');
  });
});

test.each([
  ['--format', 'csv'],
  ['--format', 'cef'],
  ['--format', 'ocsf'],
  ['--format', 'csv', '--since', '30d'],
])('an export that is pruned while it is written fails: %j', async (...flags) => {
  const { at, dir, run } = await home(Array.from({ length: 900 }, (_, i) => ({ at: T0 + i })));
  const { stdout } = at.io;
  const write = stdout.write.bind(stdout);
  let written = 0;
  const pruning = (text: string, done: () => void): boolean => {
    if (written++ === 0)
      inHome(dir, (state) => {
        const [until] = [...state.records({ afterSeq: 849 })];
        state.archive.moveBase(state.bounds().after, until!, '{}', []);
        state.archive.sweep();
      });
    return write(text, done);
  };
  Object.assign(stdout, { write: pruning });
  const { code, err } = await run('logs', 'export', ...flags);
  expect([code, err]).toEqual([3, expect.stringContaining('The log was pruned while it was read.') as string]);
});

describe('aip logs prune', () => {
  test('removes what is old, and the chain still verifies', async () => {
    const { dir, run, verify } = await home(days(30));
    const before = inHome(dir, (state) => [AGENT, OTHER].map((agent) => state.conduct.trust(agent, T0)));
    const { code, out } = await run('logs', 'prune', '--older-than', '10d', '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      removed: 19,
      until_seq: 19,
      summary: { type: 'log-pruning', successful: 16, failed: 3, unattributed: 0, codes: { 'AIP-E202': 3 }, agents: 2 },
    });
    expect((await verify()).report).toMatchObject({ ok: true, count: 11, pruned: 19 });
    inHome(dir, (state) => {
      expect([...state.entries({})][0]!.seq).toBe(20);
      // The scores are those of the whole past, also computed anew from what is left.
      for (const [i, agent] of [AGENT, OTHER].entries()) {
        expect(state.conduct.trust(agent, T0)).toEqual(before[i]);
        expect(state.conduct.retrace(agent, T0, () => undefined)).toEqual(before[i]);
      }
      state.transact((ledger) => ledger.append(draft()));
    });
    const again = await run('logs', 'prune', '--older-than', '5d', '--yes', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ removed: 5, until_seq: 24 });
    expect((await verify()).report).toMatchObject({ ok: true, count: 7, pruned: 24 });
    inHome(dir, (state) => {
      for (const agent of [AGENT, OTHER]) {
        expect(state.conduct.retrace(agent, T0, () => undefined)).toEqual(state.conduct.trust(agent, T0));
      }
    });
  });

  test('sums up no refusal that a guard only looked on at', async () => {
    const observed = days(30).map((each) => ({ ...each, error_code: 'AIP-E202', observed: true as const }));
    const { run, verify } = await home([...days(30), ...observed].toSorted((a, b) => a.at! - b.at!));
    const { out } = await run('logs', 'prune', '--older-than', '10d', '--yes', '--json');
    expect(JSON.parse(out)).toMatchObject({
      removed: 38,
      summary: { successful: 16, failed: 3, unattributed: 0, codes: { 'AIP-E202': 3 }, agents: 2 },
    });
    expect((await verify()).report).toMatchObject({ ok: true, pruned: 38, derived: { ok: true } });
  });

  test('takes no past from the scores of programs with other rules', async () => {
    const others = { ...GUIDE_RULES, failureDecrement: 0.2 };
    const { dir, run } = await home(days(10));
    const past = (by: TrustRules, at: number) =>
      inHome(dir, (state) => {
        state.conduct.judgeBy(by);
        state.transact((ledger) => [AGENT, OTHER].map((agent_id) => ledger.append(draft({ agent_id, at }))));
      });
    past(others, T0 - 6 * DAY);
    past(others, T0);
    const scores = (by: TrustRules, anew: boolean) =>
      inHome(dir, ({ conduct }) => {
        conduct.judgeBy(by);
        return [AGENT, OTHER].map((agent) =>
          anew ? conduct.retrace(agent, T0, () => undefined) : conduct.trust(agent, T0),
        );
      });
    const before = [GUIDE_RULES, others].map((by) => scores(by, true));
    // The folds of the guide's rules have not taken in what the others wrote.
    for (const age of ['5d', '2d']) {
      expect((await run('logs', 'prune', '--older-than', age, '--yes')).code).toBe(0);
      for (const anew of [false, true]) {
        expect([GUIDE_RULES, others].map((by) => scores(by, anew))).toEqual(before);
      }
    }
  });

  test('without a signed summary a missing beginning is a broken log', async () => {
    const { run, sql, verify } = await home(days(30));
    await run('logs', 'prune', '--older-than', '20d', '--yes');
    await run('logs', 'prune', '--older-than', '10d', '--yes');
    expect((await verify()).report).toMatchObject({ ok: true, pruned: 19 });
    sql("DELETE FROM statements WHERE kind = 'pruning' AND seq = 9");
    expect((await verify()).report).toMatchObject({ ok: false, first_bad_seq: 1 });
    const other = await home(days(10));
    other.sql(
      `UPDATE head SET base_seq = 4, base_hash = (SELECT hash FROM entries WHERE seq = 4); DELETE FROM entries WHERE seq <= 4`,
    );
    expect((await other.verify()).report).toMatchObject({ ok: false, first_bad_seq: 1 });
  });

  test('clears no evidence away', async () => {
    const { dir, run, sql } = await home(days(30));
    sql("UPDATE entries SET action = 'x' WHERE seq = 3");
    const { code, err } = await run('logs', 'prune', '--older-than', '10d', '--yes');
    expect([code, err]).toEqual([15, expect.stringContaining('entry 3') as string]);
    expect(inHome(dir, (state) => [...state.entries({})].length)).toBe(30);
  });

  test('asks, and removes nothing when it may not', async () => {
    const { dir, run } = await home(days(30));
    expect((await run('logs', 'prune', '--older-than', '10d')).code).toBe(2);
    expect((await run('logs', 'prune', '--yes')).code).toBe(2);
    const dry = await run('logs', 'prune', '--older-than', '10d', '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toMatchObject({ removed: 0, would_remove: 19, summary: null });
    expect((await run('logs', 'prune', '--older-than', '90d', '--yes')).code).toBe(0);
    expect(inHome(dir, (state) => [...state.entries({})].length)).toBe(30);
  });

  test('of a log that is shipped, leaves what the mesh does not have', async () => {
    const { dir, run, verify } = await home(days(30));
    const seed = new Uint8Array(32).fill(7);
    const mesh_public_key = formatPublicKey(publicKeyOf(seed));
    const countersigned = (seq: number): void =>
      inHome(dir, (state) => {
        const { hash } = [...state.entries({})][seq - 1]!;
        const time = '2026-02-18T14:23:45.000Z';
        const body = { type: 'log-checkpoint', log_id: state.logId, seq, hash, time, mesh_public_key };
        const signature = toHex(signMessage(seed, Buffer.from(canonicalize(body))));
        state.archive.addCheckpoint(seq, JSON.stringify({ ...body, signature }));
      });
    const pruned = async (...flags: string[]) => {
      const { code, out, err } = await run('logs', 'prune', '--older-than', '10d', '--yes', '--json', ...flags);
      return { code, err, ...(JSON.parse(out) as { removed: number; would_remove: number; until_seq: number | null }) };
    };
    countersigned(12);
    expect(await pruned('--dry-run'), 'a machine of no mesh').toMatchObject({ would_remove: 19, err: '' });
    const config = join(dir, 'config.json');
    const mesh = { url: 'http://127.0.0.1:4180', public_key: mesh_public_key };
    writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), mesh }));
    const first = await pruned();
    expect(first).toMatchObject({ code: 0, removed: 12, until_seq: 12 });
    expect(JSON.parse(first.err)).toMatchObject({ code: 'log_unshipped' });
    expect(first.err).toContain('7 entries');
    expect(await pruned()).toMatchObject({ code: 0, removed: 0, until_seq: null });
    expect((await run('logs', 'prune', '--older-than', '10d', '--yes')).out).toContain('is with the mesh');
    expect((await verify()).report).toMatchObject({ ok: true, count: 18, pruned: 12 });
  });

  test('removes more than one sweep', async () => {
    const { dir, run, verify } = await home([]);
    inHome(dir, (state) =>
      state.transact((ledger) => {
        for (let i = 0; i < 12_000; i++) ledger.append(draft({ at: T0 - 100 * DAY }));
        ledger.append(draft());
      }),
    );
    await run('logs', 'prune', '--older-than', '90d', '--yes');
    expect(inHome(dir, (state) => [...state.entries({})].map(({ seq }) => seq))).toEqual([12_001]);
    expect((await verify()).report).toMatchObject({ ok: true, count: 1, pruned: 12_000 });
  });

  test('takes what stands before the beginning for no entry, and deletes it', async () => {
    const { dir, run, sql, verify } = await home(days(30));
    await run('logs', 'prune', '--older-than', '10d', '--yes');
    // Left by a pruning that was killed, or put there: the chain begins later.
    sql(
      'INSERT INTO entries (seq, at, agent, action, success, code, hash, body) SELECT seq - 19, at, agent, action, success, code, hash, body FROM entries WHERE seq < 26',
    );
    expect((await verify()).report).toMatchObject({ ok: true, count: 11, pruned: 19 });
    const { out } = await run('logs', 'tail', '--json', '-n', '100');
    expect(out.trimEnd().split('\n')).toHaveLength(11);
    for (const query of [{ agentId: OTHER }, { since: T0 - 20 * DAY }, { last: 20 }, { afterSeq: 3 }]) {
      expect(inHome(dir, (state) => [...state.entries(query)].every(({ seq }) => seq > 19))).toBe(true);
    }
    const again = await run('logs', 'prune', '--older-than', '5d', '--yes', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ removed: 5, until_seq: 24 });
    expect(again.err).toContain('deleted 6 entries that an interrupted pruning had left behind');
    expect((await verify()).report).toMatchObject({ ok: true, count: 6, pruned: 24 });
  });
});

const HOSTILE: Past = [
  { action: '=HYPERLINK("http://evil.com","x")' },
  { action: "+1+cmd|' /C calc'!A0" },
  { action: '-2+3', agent_id: '@SUM(A1)' },
  { action: '\t=1+1' },
  { action: 'a|b\\c=d\ne\r\nCEF:0|evil|', error_code: 'AIP|E2=\\02', error_message: 'x|y\nz' },
  { action: 'quote " and , comma', params: { '=x': '=y' } },
  { action: '\uff1d1+1' },
  { target: "a;=cmd|' /C calc'!A0;b", params: { note: ';=1+1' } },
];

describe('aip logs export', () => {
  test('as jsonl is a chain that can be checked anywhere', async () => {
    const { at, run } = await home([...days(40), ...HOSTILE]);
    const file = join(at.cwd, 'log.jsonl');
    const checkpoint = at.file(
      'checkpoint.json',
      (await run('logs', 'checkpoint', '--principal', 'did:web:acme.com')).out,
    );
    expect((await run('logs', 'export', '--out', file)).code).toBe(0);
    const elsewhere = async (path: string, ...args: string[]) => {
      const { code, out } = await run('logs', 'verify', '--json', '--file', path, ...args);
      return { code, ...(JSON.parse(out || '{}') as Partial<Report>) };
    };
    expect(await elsewhere(file, '--checkpoint', checkpoint)).toMatchObject({
      code: 0,
      ok: true,
      count: 40 + HOSTILE.length,
    });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    // As a shell or an editor of Windows writes it.
    const marked = at.file('marked.jsonl', `\ufeff${lines.join('\r\n')}\r\n`);
    expect(await elsewhere(marked, '--checkpoint', checkpoint)).toMatchObject({ code: 0, ok: true });
    const changed = async (change: (lines: string[]) => string[], ...args: string[]) => {
      writeFileSync(join(at.cwd, 'changed.jsonl'), `${change([...lines]).join('\n')}\n`);
      return (await elsewhere(join(at.cwd, 'changed.jsonl'), ...args)).first_bad_seq;
    };
    expect(await changed((all) => all.map((line, i) => (i === 4 ? line.replace('50', '51') : line)))).toBe(5);
    expect(await changed((all) => all.toSpliced(9, 1))).toBe(10);
    expect(await changed((all) => [...all.slice(0, 3), all[4]!, all[3]!, ...all.slice(5)])).toBe(4);
    expect(await changed((all) => all.toSpliced(6, 1, 'rubbish'))).toBe(7);
    // Another program may read the first of two members; here, too, inside of params.
    const twice = (line: string, member: string) => line.replace(member, `${member.replace(/:.*/, ':0')},${member}`);
    expect(await changed((all) => all.map((line, i) => (i === 2 ? twice(line, '"status":"success"') : line)))).toBe(3);
    expect(await changed((all) => all.map((line, i) => (i === 3 ? twice(line, '"amount":50') : line)))).toBe(4);
    // A reader with exact numbers sees these, and the hash is of the double.
    const digits = (line: string, more: string) => line.replace('"amount":50', `"amount":50${more}`);
    for (const more of ['.00000000000000000001', '.0000000000000000001e-0'])
      expect(await changed((all) => all.map((line, i) => (i === 3 ? digits(line, more) : line)))).toBe(4);
    expect(await changed((all) => all.map((line, i) => (i === 3 ? digits(line, '.0') : line)))).toBeNull();
    // The leaf has a member of this name that no entry has.
    const more = (line: string) => line.replace('{', '{"commitments":{"paid":true},');
    expect(await changed((all) => all.map((line, i) => (i === 3 ? more(line) : line)))).toBe(4);
    expect(await changed((all) => all.slice(0, 40))).toBeNull();
    expect(await changed((all) => all.slice(0, 40), '--checkpoint', checkpoint)).toBe(41);
    expect(await changed((all) => all.slice(5))).toBeNull();
    const rubbish = await run('logs', 'verify', '--file', file, '--checkpoint', at.file('rubbish.json', 'rubbish'));
    expect([rubbish.code, rubbish.err]).toEqual([3, expect.stringContaining('rubbish.json is not a checkpoint')]);
    // Who has an export has no state file to keep.
    const cut = at.file('changed.jsonl', readFileSync(file, 'utf8').replace('issue_refund', 'issue_refunds'));
    expect((await run('logs', 'verify', '--file', cut)).err).toContain('next: keep this file');
  });

  test('as csv holds no formula, and every cell in its place', async () => {
    const { run } = await home(HOSTILE);
    const { out } = await run('logs', 'export', '--format', 'csv');
    const [header, ...rows] = parseCsv(out.trimEnd());
    expect(rows).toHaveLength(HOSTILE.length);
    for (const row of rows) {
      expect(row).toHaveLength(header!.length);
      // Where lists are written with semicolons, a cell begins behind one.
      for (const cell of row) expect(cell).not.toMatch(/(?:^|;)[\s"]*[=+\-@\uff1d]/);
    }
    const action = header!.indexOf('action');
    expect(rows[0]![action]).toBe('\'=HYPERLINK("http://evil.com","x")');
    expect(rows[5]![action]).toBe('quote " and , comma');
    expect(rows.map((row) => row[header!.indexOf('target')])).toContain("a;'=cmd|' /C calc'!A0;b");
  });

  test('as csv tells what an entry is of, and which refusals a guard only looked on at', async () => {
    const { run } = await home([...days(1), { error_code: 'AIP-E202', observed: true }]);
    const [header, ...rows] = parseCsv((await run('logs', 'export', '--format', 'csv')).out.trimEnd());
    const told = ['type', 'intent_timestamp', 'passport_hash', 'observed'];
    expect(header!.slice(-4)).toEqual(told);
    expect(rows.map((row) => row.slice(-4))).toEqual([
      ['verification', String(T0 / 1000), `sha256:${'cd'.repeat(32)}`, ''],
      ['verification', String(T0 / 1000), `sha256:${'cd'.repeat(32)}`, 'true'],
    ]);
  });

  test('as cef is one event a line, whatever an entry holds', async () => {
    const { run } = await home(HOSTILE);
    const lines = (await run('logs', 'export', '--format', 'cef')).out.trimEnd().split('\n');
    expect(lines).toHaveLength(HOSTILE.length);
    for (const line of lines) {
      // Seven header fields by unescaped pipes, then the extension.
      expect(line.split(/(?<!\\)(?:\\\\)*\|/).length).toBeGreaterThanOrEqual(8);
      expect(line).toMatch(/^CEF:0\|aip\|aip-cli\|/);
      expect(line).not.toMatch(/[\u0000-\u001f]/);
    }
    expect(lines[4]).toContain('|AIP\\|E2=\\\\02|x\\|y z|7|');
    expect(lines.at(-1)).toContain("destinationServiceName=a;\\=cmd|' /C calc'!A0;b ");
    expect(lines[4]).toContain('act=a|b\\\\c\\=d e CEF:0|evil| outcome=failure');
  });

  test('as ocsf is an API Activity event with the whole entry in it', async () => {
    const { dir, run } = await home(days(5));
    const events = (await run('logs', 'export', '--format', 'ocsf')).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const entries = inHome(dir, (state) => [...state.entries({})]);
    expect(events.map((event) => (event['unmapped'] as { entry: Entry }).entry)).toEqual(entries);
    expect(events[4]).toMatchObject({
      class_uid: 6003,
      type_uid: 600399,
      category_uid: 6,
      status_id: 2,
      severity_id: 3,
    });
    expect(events[0]).toMatchObject({ status_id: 1, severity_id: 1, time: T0 - 4 * DAY });
    expect(events[4]).toHaveProperty('status_code');
    for (const name of ['status_code', 'status_detail']) expect(events[0]).not.toHaveProperty(name);
  });

  test('selects, and replaces a file as a whole', async () => {
    const { at, run } = await home(days(30));
    const count = async (...args: string[]) => (await run('logs', 'export', ...args)).out.split('\n').length - 1;
    expect(await count('--agent', OTHER)).toBe(10);
    expect(await count('--status', 'failed')).toBe(6);
    expect(await count('--since', '10d')).toBe(11);
    expect(await count('--until', '10d')).toBe(19);
    const file = at.file('there.jsonl', 'mine');
    expect((await run('logs', 'export', '--out', file)).code).toBe(0);
    expect(readFileSync(file, 'utf8').split('\n').length - 1).toBe(30);
    const checkpoint = at.file('checkpoint', `aip.log/00\n9\n${'A'.repeat(43)}=\n`);
    expect((await run('logs', 'export', '--out', checkpoint)).code).toBe(2);
    expect(readFileSync(checkpoint, 'utf8')).toMatch(/^aip\.log/);
    expect((await run('logs', 'export', '--out', '/dev/null')).code).toBe(0);
    expect(readdirSync('/dev')).not.toContain('null.part');
    expect((await run('logs', 'export', '--format', 'xml')).code).toBe(2);
  });

  test('that fails leaves nothing behind that stops the next', async () => {
    const { at, run, sql } = await home(days(3));
    sql("UPDATE entries SET body = 'x' || body WHERE seq = 3");
    const folder = join(at.cwd, 'archive');
    expect((await run('logs', 'export', '--out', join(folder, 'log.jsonl'))).code).toBe(3);
    expect(readdirSync(folder)).toEqual([]);
    sql('UPDATE entries SET body = substr(body, 2) WHERE seq = 3');
    expect((await run('logs', 'export', '--out', join(folder, 'log.jsonl'))).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['log.jsonl']);
  });

  test('that is interrupted says so, and leaves nothing behind', async () => {
    const { at, dir, run } = await home([]);
    inHome(dir, (state) =>
      state.transact((ledger) => {
        for (let i = 0; i < 20_000; i++) ledger.append(draft());
      }),
    );
    const folder = join(at.cwd, 'archive');
    const running = run('logs', 'export', '--out', join(folder, 'log.jsonl'));
    const written = () => statSync(join(folder, 'log.jsonl.part'), { throwIfNoEntry: false })?.size ?? 0;
    for (let i = 0; i < 1_000_000 && written() === 0; i++) await new Promise((resolve) => setImmediate(resolve));
    at.interrupt(130);
    const { code, err } = await running;
    expect([code, err]).toEqual([130, 'interrupted: the export is not whole\n']);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('a sealed entry is what the export holds', () => {
  const entry = seal(draft(), 'v', START);
  expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
});

function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    rows.at(-1)!.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
    if (end === '') break;
  }
  return rows;
}
