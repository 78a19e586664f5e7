/** What a person sees of a memory that verifiers share: preparing it, verifying with it, and what is said when it does not answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonRecord } from '../../../src/app/logs/foreign-records.js';
import { renderEntry } from '../../../src/cli/render/entry.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { describePostgres, QUICK } from '../../kit/postgres.js';
import { freePort } from '../../kit/servers/free-port.js';
import { world, type World } from '../../kit/world.js';

const ENV = { AIP_KEY_PASSPHRASE: 'correct horse' };

/** A machine with a home of its own, which shares what `url` names. */
function machine(url: string | null): World {
  return world({ env: { ...ENV, ...(url === null ? {} : { AIP_STATE_URL: url }) } });
}

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly hint: string | null;
}

/** An agent and an intent of it, made on a machine that shares nothing; and what another machine has to be told of its principal. */
async function agentOf(limits: readonly string[] = [], url: string | null = null) {
  const maker = machine(url);
  const must = async (...argv: string[]) => {
    const { code, out, err } = await maker.run(...argv);
    expect(code, err).toBe(0);
    return out;
  };
  await must('init', '--domain', 'acme.com', '--key-store', 'file');
  const passport = join(maker.cwd, 'bot.passport.json');
  await must('passport', 'create', 'bot', '-a', 'refund', '-o', passport, ...limits);
  const [{ public_key: key }] = JSON.parse(await must('principal', 'list', '--json')) as [{ public_key: string }];
  let n = 0;
  return {
    passport,
    flags: ['--passport', passport, '--principal-key', `did:web:acme.com=${key}`],
    maker,
    intent: async (amount = 10, request: string | null = null) => {
      const path = join(maker.cwd, `intent-${++n}.json`);
      await must(
        'intent',
        'sign',
        '--passport',
        passport,
        '--action',
        'refund',
        '--param',
        `amount:=${amount}`,
        '-o',
        path,
        ...(request === null ? [] : ['--approval-request', request]),
      );
      return path;
    },
  };
}

const codeOf = (out: string) => (JSON.parse(out) as { error_code: string | null }).error_code;

describe('without a database', () => {
  test('verification gives no decision, says so, and keeps nothing', async () => {
    const agent = await agentOf();
    const port = await freePort();
    const here = machine(`postgres://aip:s3cr3t-pw@127.0.0.1:${port}/aip`);
    const { code, out, err } = await here.run('intent', 'verify', await agent.intent(), ...agent.flags, '--json');
    expect(code).toBe(5);
    expect(out).toBe('');
    expect(err).toContain('STATE_UNAVAILABLE');
    expect(err).toContain('nothing listens there');
    expect(err).toContain('hint');
    expect(err).not.toContain('s3cr3t-pw');
    expect((await here.run('logs', 'tail', '--json')).out).toBe('');
    const doctor = await here.run('doctor', '--json');
    const finding = (JSON.parse(doctor.out) as Finding[]).find(({ check }) => check === 'fleet');
    expect(finding).toMatchObject({ status: 'failed' });
    expect(doctor.out + doctor.err).not.toContain('s3cr3t-pw');
    expect((await here.run('config', 'list', '--json')).out).not.toContain('s3cr3t-pw');
  });
  test.each([
    ['AIP_STATE_URL', 'mysql://db/aip'],
    ['AIP_STATE_URL', 'postgres://aip@db/aip?sslmode=require'],
  ])('a URL that is none is exit 2: %s=%s', async (_, url) => {
    const agent = await agentOf();
    const { code, err } = await machine(url).run('intent', 'verify', await agent.intent(), ...agent.flags);
    expect(code).toBe(2);
    expect(err).toContain('hint');
  });
  test('a password in an argument is refused, and not repeated', async () => {
    const { code, err } = await machine(null).run('state', 'migrate', '--url', 'postgres://me:s3cr3t-pw@db/aip');
    expect(code).toBe(2);
    expect(err).toContain('PGPASSWORD');
    expect(err).not.toContain('s3cr3t-pw');
  });
  test('a wrong escape in the URL of verifiers is refused when their user is asked for', async () => {
    const { code, err } = await machine('postgres://a%zz@db/aip').run(
      'state',
      'migrate',
      '--url',
      'postgres://me@db/aip',
    );
    expect(code).toBe(2);
    expect(err).toContain('write % as %25');
  });
  test('no database named at all', async () => {
    expect(await machine(null).run('state', 'migrate')).toMatchObject({ code: 2 });
  });
  test('what a project says of it does not count', async () => {
    const here = machine(null);
    here.file('.aiprc', 'state:\n  url: postgres://elsewhere/aip\n');
    await here.run('config', 'trust', '--yes');
    const { out } = await here.run('config', 'list', '--json');
    expect(out).not.toContain('elsewhere');
  });
});

describePostgres('two machines with one memory', QUICK, (cluster) => {
  async function prepared() {
    const { name } = await cluster().database();
    await cluster().admin(
      `DO $$ BEGIN CREATE ROLE cli_verifier LOGIN PASSWORD 'verifier-pw'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    );
    const owner = world({ env: { ...ENV, PGPASSWORD: 'sup3r-s3cret' } });
    const url = cluster().url(name, 'postgres', null);
    const migrate = (...more: string[]) => owner.run('state', 'migrate', '--url', url, ...more);
    return { name, owner, url, migrate, verifier: cluster().url(name, 'cli_verifier', 'verifier-pw') };
  }

  test('state migrate prints what it would do, does it, and does it once', async () => {
    const { migrate, name, verifier } = await prepared();
    const dry = await migrate('--dry-run', '--grant', 'cli_verifier');
    expect(dry.code, dry.err).toBe(0);
    expect(dry.out).toContain('CREATE SCHEMA aip_state');
    expect(dry.out).toContain('GRANT EXECUTE ON FUNCTION aip_state.settle(jsonb, jsonb) TO "cli_verifier"');
    expect(await cluster().admin(`SELECT to_regclass('aip_state.versions') AS t`, name)).toEqual([{ t: null }]);
    const before = await machine(verifier).run('doctor', '--json');
    expect((JSON.parse(before.out) as Finding[]).find(({ check }) => check === 'fleet')).toMatchObject({
      status: 'failed',
      hint: 'aip state migrate',
    });

    const done = await migrate('--grant', 'cli_verifier', '--json');
    expect(JSON.parse(done.out)).toMatchObject({ from: 0, to: 3, granted: ['cli_verifier'], sql: null });
    const again = await migrate('--json');
    expect(JSON.parse(again.out)).toMatchObject({ from: 3, to: 3, granted: [] });
    expect((await migrate('--grant', 'nobody_there')).code).toBe(5);
    // The user of the verifiers is told whose command this is, not to give it again.
    for (const argv of [['migrate'], ['verifier', 'list']]) {
      const { code, err } = await machine(verifier).run('state', ...argv);
      expect([code, err]).toEqual([5, expect.stringContaining('hint: name the user that owns the database: --url')]);
    }
    await cluster().admin('DELETE FROM aip_state.versions WHERE version = 3', name);
    const behind = JSON.parse((await machine(verifier).run('doctor', '--json')).out) as Finding[];
    expect(behind.filter(({ check }) => check === 'fleet')).toContainEqual({
      check: 'fleet',
      status: 'warning',
      message: "This aip brings schema version 3. Once all verifiers have it, the database's owner migrates.",
      hint: 'aip state migrate',
    });
    await cluster().admin('INSERT INTO aip_state.versions VALUES (99)', name);
    expect(await migrate()).toMatchObject({ code: 5 });
  });
  test('what it prints, psql runs', async () => {
    const { migrate, name, verifier } = await prepared();
    const { out } = await migrate('--dry-run', '--grant', 'cli_verifier');
    cluster().run('psql', [
      '-q',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      cluster().folder,
      '-p',
      String(cluster().port),
      '-U',
      'postgres',
      '-d',
      name,
      '-f',
      cluster().file('migrate.sql', out),
    ]);
    const { out: findings } = await machine(verifier).run('doctor', '--json');
    expect((JSON.parse(findings) as Finding[]).filter(({ check }) => check === 'fleet')[0]).toMatchObject({
      status: 'ok',
    });
  });
  test('a replay is one on the other machine, a limit is one for both, and each keeps its own log', async () => {
    const { migrate, verifier } = await prepared();
    expect((await migrate('--grant', 'cli_verifier')).code).toBe(0);
    const agent = await agentOf(['--daily-limit', '25']);
    const [one, two] = [machine(verifier), machine(verifier)];
    const intent = await agent.intent(10);
    const verify = (here: World, file: string, ...more: string[]) =>
      here.run('intent', 'verify', file, ...agent.flags, '--json', ...more);
    expect(await verify(two, intent, '--dry-run')).toMatchObject({ code: 0 });
    const first = await verify(one, intent);
    expect(first.code, first.err).toBe(0);
    const replay = await verify(two, intent);
    expect(replay.code).toBe(11);
    expect(codeOf(replay.out)).toBe('AIP-E301');
    expect(codeOf((await verify(two, intent, '--dry-run')).out)).toBe('AIP-E301');
    expect(codeOf((await verify(two, await agent.intent(10))).out)).toBeNull();
    expect(codeOf((await verify(one, await agent.intent(10))).out)).toBe('AIP-E212');
    expect(codeOf((await verify(two, await agent.intent(5))).out)).toBeNull();
    for (const here of [one, two]) {
      expect(await here.run('logs', 'verify')).toMatchObject({ code: 0 });
      const entries = (await here.run('logs', 'tail', '--json')).out.trim().split('\n');
      expect(entries).toHaveLength(here === one ? 2 : 3);
    }
    const doctor = (JSON.parse((await one.run('doctor', '--json')).out) as Finding[]).filter(
      ({ check }) => check === 'fleet',
    );
    expect(doctor.map(({ message }) => message.replace(/\d+\.\d ms/, 'N ms').replace(/\d+ s/, 'N s'))).toEqual([
      expect.stringMatching(
        /^postgres:\/\/cli_verifier@127\.0\.0\.1:\d+\/test_\d+ answers in N ms; its schema has version 3\.$/,
      ) as string,
      "clock_differs: this machine's clock is N s behind the database's, by which windows are counted.",
      expect.stringMatching(
        /^Requests for approval of this verifier stay on this machine .*: aip state verifier add ed25519:[0-9a-f]{64}$/,
      ) as string,
    ]);
  });
  test('a stolen password of a verifier settles, and does nothing else', async () => {
    const { migrate, name } = await prepared();
    await migrate('--grant', 'cli_verifier');
    for (const sql of [
      'SELECT * FROM aip_state.nonces',
      'DELETE FROM aip_state.nonces',
      'UPDATE aip_state.forgotten SET until = 0',
      'SELECT document FROM aip_state.requests',
      `INSERT INTO aip_state.verifiers VALUES ('ed25519:00', 'mine', 0)`,
      `SELECT aip_state.request_told('00')`,
      `SELECT aip_state.raise_request('a', '{}', 0)`,
      `SELECT aip_state.answer_request('{}', 0)`,
      `SELECT aip_state.release('00', 0)`,
      'SELECT aip_state.prune(0)',
      `SELECT aip_state.count_usage('a', '{}', 0)`,
      `SELECT aip_state.reading('a', '{}', 0)`,
      'CREATE TABLE aip_state.mine (a int)',
      `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT aip_state.settle('[]', '{"done": [], "resumes": false}'); COMMIT`,
    ]) {
      const { connectWithUrl } = await import('../../kit/postgres.js');
      const connection = await connectWithUrl(cluster().url(name, 'cli_verifier', 'verifier-pw'));
      await expect(connection.query(sql, [], 5000), sql).rejects.toMatchObject({ kind: 'refused' });
      await connection.close();
    }
  });
  test('stopped on one machine, approved on a second, let through once on a third; a verifier is enrolled, listed and dismissed', async () => {
    const { migrate, owner, url, verifier } = await prepared();
    await migrate('--grant', 'cli_verifier');
    const agent = await agentOf(['--constraint', 'require_approval:=true'], verifier);
    const [one, two, three] = [machine(verifier), machine(verifier), machine(verifier)];
    const verify = (here: World, file: string, ...more: string[]) =>
      here.run('intent', 'verify', file, ...agent.flags, '--json', ...more);
    const idIn = (out: string) => (JSON.parse(out) as { details: { request_id: string } }).details.request_id;

    // Before it is enrolled, a request stays where it was raised.
    const alone = await verify(one, await agent.intent());
    expect(codeOf(alone.out)).toBe('AIP-E209');
    expect(idIn((await verify(two, await agent.intent())).out)).not.toBe(idIn(alone.out));
    expect(await two.run('approvals', 'show', idIn(alone.out))).toMatchObject({ code: 3 });

    const doctor = await one.run('doctor', '--json');
    const key = /aip state verifier add (ed25519:[0-9a-f]{64})/.exec(doctor.out)![1]!;
    expect(await owner.run('state', 'verifier', 'list', '--url', url)).toMatchObject({ code: 0, out: '' });
    const added = await owner.run('state', 'verifier', 'add', key, '--label', 'web-1', '--url', url, '--json');
    expect(JSON.parse(added.out), added.err).toEqual({ public_key: key, label: 'web-1', changed: true });
    expect((await owner.run('state', 'verifier', 'add', key, '--url', url)).out).toContain('enrolled already');
    const listed = await owner.run('state', 'verifier', 'list', '--url', url, '--json');
    expect(JSON.parse(listed.out)).toMatchObject([{ public_key: key, label: '' }]);
    expect((await one.run('doctor', '--json')).out).toContain('count on all machines');
    // Who verifies may not enroll.
    expect((await one.run('state', 'verifier', 'add', key)).code).toBe(5);

    const id = idIn((await verify(one, await agent.intent(25))).out);
    expect(idIn((await verify(two, await agent.intent(25))).out)).toBe(id);
    expect(JSON.parse((await three.run('approvals', 'show', id, '--json')).out)).toMatchObject({
      source: 'fleet',
      status: 'pending',
      verifier: key,
    });
    const approve = await agent.maker.run('approvals', 'approve', id, '--yes');
    expect(approve.code, approve.err).toBe(0);
    const fresh = await agent.intent(25, id);
    const ran = await verify(two, fresh);
    expect(ran.code, ran.err + ran.out).toBe(0);
    for (const here of [one, two, three])
      expect(codeOf((await verify(here, await agent.intent(25, id))).out)).toBe('AIP-E216');
    expect(JSON.parse((await one.run('approvals', 'show', id, '--json')).out)).toMatchObject({ status: 'spent' });

    // What is kept here is shown and answered while the database is away, and it is said that others do not know.
    const { maker } = agent;
    const left = idIn((await verify(maker, await agent.intent(30))).out);
    Object.assign(maker.io.env, { AIP_STATE_URL: `postgres://aip@127.0.0.1:${await freePort()}/none` });
    expect((await maker.run('approvals', 'show', left)).code).toBe(0);
    const denied = await maker.run('approvals', 'deny', left, '--yes');
    expect(denied.code).toBe(5);
    expect(denied.err).toContain('counts on this machine');
    expect(JSON.parse((await maker.run('approvals', 'show', left, '--json')).out)).toMatchObject({ status: 'denied' });

    expect((await owner.run('state', 'verifier', 'remove', key, '--url', url)).out).toContain('removed');
    expect((await owner.run('state', 'verifier', 'remove', key, '--url', url)).out).toContain('not enrolled');
    expect((await owner.run('state', 'verifier', 'add', 'web-1', '--url', url)).code).toBe(2);
    expect((await owner.run('state', 'verifier', 'add', key, '--label', 'a\u202eb', '--url', url)).code).toBe(2);
  });
  test('a place in a daily limit is given back to all, under the token of the decision', async () => {
    const { migrate, verifier } = await prepared();
    await migrate('--grant', 'cli_verifier');
    const agent = await agentOf(['--constraint', 'daily_limit:={"limit":20,"release":true}']);
    const [one, two] = [machine(verifier), machine(verifier)];
    const verify = async (here: World, amount: number) =>
      JSON.parse((await here.run('intent', 'verify', await agent.intent(amount), ...agent.flags, '--json')).out) as {
        error_code: string | null;
        intent_hash: string;
        outcome_token: string;
      };
    const { intent_hash: hash, outcome_token: token } = await verify(one, 20);
    expect((await verify(two, 20)).error_code).toBe('AIP-E212');
    const report = (...more: string[]) => one.run('outcome', hash, '--status', 'error', '--release', '--json', ...more);
    const claimed = await report();
    expect(JSON.parse(claimed.out)).toMatchObject({ released: false, claimed: true });
    const released = await report('--token-file', one.file('token', token));
    expect(JSON.parse(released.out), released.err).toMatchObject({ released: true, not_released: null });
    expect((await verify(two, 20)).error_code).toBeNull();
    expect((await verify(one, 1)).error_code).toBe('AIP-E212');
  });
  test('killed between settling and logging: nobody was told, and the next start logs it as interrupted', async () => {
    const { migrate, name, verifier } = await prepared();
    await migrate('--grant', 'cli_verifier');
    const agent = await agentOf();
    const here = machine(verifier);
    // A first verification makes the state, whose name the claims carry.
    expect((await here.run('intent', 'verify', await agent.intent(), ...agent.flags)).code).toBe(0);
    const [{ verifier: own }] =
      here.out() === '' ? [{ verifier: '' }] : [entryOf((await here.run('logs', 'tail', '--json')).out)];
    const hash = `sha256:${'ab'.repeat(32)}`;
    await cluster().admin(
      `INSERT INTO aip_state.calls VALUES ('${own}', '\\x01', 0, '\\x02', (extract(epoch FROM now()) * 1000)::bigint - 60000,
         '[["did:web:acme.com:agents:bot", "${hash}", "accepted"]]')`,
      name,
    );
    expect((await here.run('intent', 'verify', await agent.intent(), ...agent.flags)).code).toBe(0);
    const lines = (await here.run('logs', 'tail', '--type', 'interrupted', '--json')).out.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      type: 'interrupted',
      intent_hash: hash,
      settled_as: 'accepted',
      agent_id: 'did:web:acme.com:agents:bot',
    });
    expect(renderEntry(JSON.parse(lines[0]!) as JsonRecord, { paint: plain, width: 200 })).toMatch(
      /INTERRUPTED  \S+  nobody was told/,
    );
    expect((await here.run('logs', 'verify')).code).toBe(0);
    // Said once, and taken off the list.
    expect((await here.run('intent', 'verify', await agent.intent(), ...agent.flags)).code).toBe(0);
    expect((await here.run('logs', 'tail', '--type', 'interrupted', '--json')).out.trim().split('\n')).toHaveLength(1);
    expect(await cluster().admin('SELECT count(*) AS n FROM aip_state.calls', name)).toEqual([{ n: '0' }]);
  });
});

function entryOf(out: string): { readonly verifier: string } {
  return JSON.parse(out.trim().split('\n').at(-1)!) as { verifier: string };
}

test('help says what a stolen password can do', async () => {
  const { out } = await machine(null).run('help', 'growing');
  expect(out).toContain('can burn nonces');
  expect(readFileSync(new URL('../../../src/cli/help/topics/growing.ts', import.meta.url), 'utf8')).toContain(
    'aip state migrate',
  );
});
