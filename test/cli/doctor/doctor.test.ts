import type { EntryQuery } from '../../../src/app/ports/state.js';
import Libsql from 'libsql';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectClock, inspectLog, inspectPins, type Finding } from '../../../src/app/setup/doctor.js';
import { checkup } from '../../../src/cli/doctor/checkup.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { renderFinding, renderVerdict } from '../../../src/cli/render/doctor.js';
import { shellCli } from '../../../src/cli/shell/context.js';
import { START, type Link } from '../../../src/protocol/log/chain.js';
import { seal } from '../../kit/state/sealed.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { formatTime } from '../../../src/protocol/time.js';
import { draft } from '../../kit/state/drafts.js';
import { openAt } from '../../kit/state/temporary.js';
import { world, type World, type WorldOptions } from '../../kit/world.js';

const PASSPHRASE = 'correct horse';
type Shown = Omit<Finding, 'exitCode'>;

/** A machine that was set up with keys in files, and an agent `bot` whose passport ends after `expires`. */
async function setUp(options: WorldOptions = {}, expires = '90d') {
  const place = world({ ...options, env: { AIP_KEY_PASSPHRASE: PASSPHRASE, ...options.env } });
  const home = join(place.io.userHome, 'home');
  const passport = join(place.cwd, 'bot.passport.json');
  const run: World['run'] = (...argv) => place.run(...argv, '--home', home);
  const initial = await run('init', '--domain', 'acme.com', '--key-store', 'file');
  expect(initial.code, initial.err).toBe(0);
  const made = await run('passport', 'create', 'bot', '-a', 'deploy', '--expires', expires, '-o', passport);
  expect(made.code, made.err).toBe(0);
  const doctor = async () => {
    const { code, out, err } = await run('doctor', '--json');
    const findings = JSON.parse(out) as Shown[];
    return { code, err, findings, bad: findings.filter(({ status }) => status !== 'ok') };
  };
  const key = join(home, 'keys', 'did_web_acme.com_agents_bot_key-1.pem');
  return { ...place, run, home, passport, doctor, key, database: join(home, 'state.db') };
}

function tamper(path: string, sql: string): void {
  const file = new Libsql(path);
  file.exec(sql);
  file.close();
}

describe('a machine that is set up well', () => {
  test('is said to be, check by check', async () => {
    const { doctor, home, database } = await setUp();
    const { code, err, findings, bad } = await doctor();
    expect({ code, err, bad }).toEqual({ code: 0, err: '', bad: [] });
    expect(findings.map(({ check }) => check)).toEqual([
      'node',
      'start-up',
      'config',
      'state',
      'log',
      'verifier',
      'clock',
      'principal',
      'principal',
      'passport',
      'key store',
      'key',
    ]);
    expect(findings).toContainEqual({
      check: 'state',
      status: 'ok',
      message: `${database} opens and can be written.`,
      hint: null,
    });
    expect(findings.find(({ check }) => check === 'key')!.message).toBe(
      '2 private keys are where they belong (not opened).',
    );
    expect(existsSync(join(home, 'config.json'))).toBe(true);
  });

  test('for a person: words, aligned, and a count', async () => {
    const { run } = await setUp();
    const { code, out } = await run('doctor');
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {7}node {7}Node \d+\./);
    expect(out).toMatch(/\n\n12 ok, 0 warnings, 0 failed\n$/);
    expect((await run('doctor', '--quiet')).out).toBe('');
  });

  test('is left as it is, and needs no passphrase', async () => {
    const { home, io } = await setUp();
    const look = () => readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => !name.includes('-'));
    const before = look();
    const bare = world({ tty: true });
    expect((await bare.run('doctor', '--home', home, '--json')).code).toBe(0);
    expect(look()).toEqual(before);
    expect(io.env['AIP_KEY_PASSPHRASE']).toBe(PASSPHRASE);
  });
});

describe('a machine that was never set up', () => {
  test('has no failure, and nothing is made there', async () => {
    const place = world({ env: { AIP_KEY_STORE: 'file' } });
    const home = join(place.io.userHome, 'home');
    const { code, out } = await place.run('doctor', '--home', home, '--json');
    const findings = JSON.parse(out) as Shown[];
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.find(({ check }) => check === 'state')!.message).toBe(
      `None yet; it will be made at ${join(home, 'state.db')}.`,
    );
    expect(code).toBe(0);
    expect(existsSync(home)).toBe(false);
  });
  test('a home that cannot be made fails with exit 3', async () => {
    const place = world({ env: { AIP_KEY_STORE: 'file' } });
    const file = place.file('occupied', '');
    const { code, out } = await place.run('doctor', '--home', join(file, 'home'), '--json');
    expect(code).toBe(3);
    const hint = 'set AIP_HOME to a folder of yours';
    expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ check: 'state', status: 'failed', hint }));
  });
});

const noBus = process.platform === 'linux' ? null : 'the keychain of this system is always there';
if (noBus !== null) console.warn(`skipped, no keychain: ${noBus}`);
describe.skipIf(noBus !== null)('without a keychain', () => {
  const keyStore = async (place: World, ...flags: string[]) => {
    const { code, out } = await place.run('doctor', '--json', ...flags);
    return { code, finding: (JSON.parse(out) as Shown[]).find(({ check }) => check === 'key store')! };
  };
  test('nobody who did not choose it lacks anything yet', async () => {
    const { code, finding } = await keyStore(world());
    expect(code).toBe(0);
    expect(finding).toMatchObject({ status: 'warning', hint: 'aip init --key-store file' });
  });
  test('whoever chose it has exit 4', async () => {
    const { code, finding } = await keyStore(world({ env: { AIP_KEY_STORE: 'keychain' } }));
    expect(code).toBe(4);
    expect(finding).toMatchObject({ status: 'failed', message: expect.stringContaining('no keychain') as unknown });
  });
  test('whoever keeps keys in it has exit 4', async () => {
    const { home, database, ...place } = await setUp();
    tamper(database, "UPDATE keys SET store = 'keychain', ref = key_id");
    rmSync(join(home, 'config.json'));
    const { code, finding } = await keyStore(place, '--home', home);
    expect({ code, status: finding.status }).toEqual({ code: 4, status: 'failed' });
  });
});

describe('what is wrong is said, with what to do', () => {
  test.each([
    ['a project file that does not parse', '.aiprc.json', '{', 'warning', 0, 'is not JSON', null],
    ['an unknown key', '.aiprc.json', '{"domian":"acme.com"}', 'warning', 0, 'what does not read', 'aip help config'],
    [
      'a project file that nobody trusted',
      '.aiprc.json',
      '{"mesh":{"url":"https://evil.example"}}',
      'warning',
      0,
      '(mesh.url): none of it counts. Read it, then: aip config trust',
      'aip help config',
    ],
  ] as const)('%s', async (_what, name, text, status, exit, words, hint) => {
    const { doctor, file } = await setUp();
    file(name, text);
    const { code, bad } = await doctor();
    expect(code).toBe(exit);
    expect(bad).toMatchObject([{ check: 'config', status, message: expect.stringContaining(words) as unknown }]);
    if (hint !== null) expect(bad[0]!.hint).toBe(hint);
  });

  test('a misspelt variable', async () => {
    const { doctor } = await setUp({ env: { AIP_KEYSTORE: 'file' } });
    const { code, bad } = await doctor();
    expect(code).toBe(0);
    expect(bad).toMatchObject([{ check: 'config', status: 'warning', hint: 'aip help config' }]);
    expect(bad[0]!.message).toContain('AIP_KEYSTORE means nothing to aip; did you mean AIP_KEY_STORE?');
  });

  test('a proxy is shown without its password, and one that cannot be used is failed', async () => {
    const { doctor } = await setUp({
      env: { HTTPS_PROXY: 'http://alice:hunter2@proxy.acme.com:3128', NO_PROXY: '.internal' },
    });
    const { code, findings, err } = await doctor();
    expect(code).toBe(0);
    expect(findings.find(({ check }) => check === 'proxy')).toMatchObject({
      status: 'ok',
      message: 'Requests go through http://***@proxy.acme.com:3128 (HTTPS_PROXY); directly to .internal (NO_PROXY).',
    });
    expect(JSON.stringify(findings) + err).not.toContain('hunter2');
    const other = await setUp({ env: { https_proxy: 'socks5://alice:hunter2@proxy.acme.com' } });
    const { code: exit, bad } = await other.doctor();
    expect(exit).toBe(2);
    expect(bad).toMatchObject([{ check: 'proxy', status: 'failed', hint: 'aip help config' }]);
    expect(JSON.stringify(bad)).not.toContain('hunter2');
  });

  test('a state file that is no state: exit 3, and the other checks go on', async () => {
    const { doctor, home } = await setUp();
    for (const name of readdirSync(home).filter((each) => each.startsWith('state.db'))) rmSync(join(home, name));
    writeFileSync(join(home, 'state.db'), 'x'.repeat(8192), { mode: 0o600 });
    const { code, findings, bad } = await doctor();
    expect(code).toBe(3);
    expect(bad).toMatchObject([
      { check: 'state', status: 'failed', hint: expect.stringContaining('backup') as unknown },
    ]);
    expect(findings.map(({ check }) => check)).toContain('key store');
  });

  test('a state that others may read', async () => {
    const { doctor, database } = await setUp();
    chmodSync(database, 0o644);
    const { code, bad } = await doctor();
    expect(code).toBe(0);
    expect(bad).toMatchObject([{ check: 'state', status: 'warning', hint: `chmod 600 ${database}` }]);
  });

  test('a log that was changed: exit 3', async () => {
    const { doctor, database } = await setUp();
    openAt(database).transact((ledger) => {
      for (let i = 0; i < 3; i++) ledger.append(draft());
    });
    expect((await doctor()).bad).toEqual([]);
    tamper(database, 'DELETE FROM entries WHERE seq = 2');
    const { code, bad } = await doctor();
    expect(code).toBe(3);
    expect(bad).toMatchObject([{ check: 'log', status: 'failed', hint: 'aip logs verify' }]);
    expect(bad[0]!.message).toContain('broken at entry 2');
  });

  test.each([
    ['25d', 'ok', ''],
    ['13d', 'warning', 'expires in 13 days, at 2026-03-03T14:23:45Z'],
    ['30h', 'warning', 'expires in 1 day, at'],
    ['2h', 'warning', 'expires within a day, at'],
  ] as const)('a passport that ends in %s', async (expires, status, words) => {
    const { doctor } = await setUp({}, expires);
    const { code, findings } = await doctor();
    expect(code).toBe(0);
    const finding = findings.find(({ check }) => check === 'passport')!;
    expect(finding).toMatchObject({ status, hint: status === 'ok' ? null : 'aip passport renew bot' });
    expect(finding.message).toContain(words);
  });

  test('a passport that has ended', async () => {
    const place = await setUp({}, '90d');
    const later = { ...place.io, now: () => Date.parse('2026-06-01T00:00:00Z') };
    const findings = await checked({ ...place, io: later }, place.home);
    const finding = findings.find(({ check }) => check === 'passport')!;
    expect(finding).toMatchObject({ status: 'warning', hint: 'aip passport renew bot' });
    expect(finding.message).toContain('expired at 2026-05-19T14:23:45Z');
  });

  test('a passport whose principal is not pinned, unless the config pins it', async () => {
    const { doctor, database, run, file, home } = await setUp();
    const state = openAt(database);
    const [pin] = state.pins();
    state.unpin('did:web:acme.com');
    const { code, bad } = await doctor();
    expect(code).toBe(0);
    expect(bad).toMatchObject([
      { check: 'passport', status: 'warning', hint: 'aip principal add did:web:acme.com --public-key <key>' },
    ]);
    const key = `ed25519:${Buffer.from(pin!.publicKey).toString('hex')}`;
    file('.aiprc.json', JSON.stringify({ principals: { 'did:web:acme.com': key } }));
    expect((await run('config', 'trust', '--yes')).code).toBe(0);
    // What every decision must hold to belongs elsewhere, and that is said.
    expect((await doctor()).bad).toMatchObject([
      { check: 'config', message: expect.stringContaining('principals') as unknown },
    ]);
    expect(existsSync(home)).toBe(true);
  });

  test('a file that a kill left with the passport that was replaced', async () => {
    const { doctor, passport, run } = await setUp();
    const old = readFileSync(passport);
    expect((await run('passport', 'update', passport, '--add-action', 'pay', '--yes')).code).toBe(0);
    expect((await doctor()).bad).toEqual([]);
    writeFileSync(passport, old);
    const { code, bad } = await doctor();
    expect(code).toBe(0);
    const words = `${passport} holds serial 1 of did:web:acme.com:agents:bot; 2 is in force, and the file is refused.`;
    expect(bad).toEqual([
      { check: 'passport', status: 'warning', message: words, hint: `aip passport show bot --json > ${passport}` },
    ]);
    writeFileSync(passport, 'no passport');
    expect((await doctor()).bad).toEqual([]);
  });

  test('a passport that is damaged, and one that was edited', async () => {
    const { doctor, database } = await setUp();
    tamper(database, `UPDATE passports SET text = replace(text, '"deploy"', '"deploy", "destroy"')`);
    const edited = await doctor();
    expect(edited.code).toBe(0);
    expect(edited.bad).toMatchObject([{ check: 'passport', status: 'warning', hint: 'aip passport import <file>' }]);
    tamper(database, `UPDATE passports SET text = replace(text, '"version": 1', '"version": 2')`);
    const damaged = await doctor();
    expect(damaged.code).toBe(3);
    expect(damaged.bad).toMatchObject([{ check: 'passport', status: 'failed' }]);
  });

  test.each([
    [
      'gone',
      (path: string) => rmSync(path),
      'There is no key file',
      'restore it from a backup, or: aip passport rotate bot',
    ],
    ['readable by others', (path: string) => chmodSync(path, 0o644), 'can be read or changed by others', 'chmod 600 '],
    ['no key', (path: string) => writeFileSync(path, 'x'), 'Key', null],
    [
      'a key that is not encrypted',
      (path: string) =>
        writeFileSync(path, '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n'),
      'not encrypted',
      null,
    ],
  ] as const)('a key file that is %s: exit 4', async (_what, harm, words, hint) => {
    const { doctor, key } = await setUp();
    harm(key);
    const { code, bad } = await doctor();
    expect(code).toBe(4);
    expect(bad).toMatchObject([{ check: 'key', status: 'failed' }]);
    expect(bad[0]!.message).toContain('did:web:acme.com:agents:bot#key-1: ');
    expect(bad[0]!.message.toLowerCase()).toContain(words.toLowerCase());
    if (hint !== null) expect(bad[0]!.hint).toContain(hint);
  });

  test('a key folder that is open to others', async () => {
    const { doctor, home } = await setUp();
    chmodSync(join(home, 'keys'), 0o755);
    const { code, bad } = await doctor();
    expect(code).toBe(0);
    expect(bad).toMatchObject([{ check: 'key', status: 'warning', hint: `chmod 700 ${join(home, 'keys')}` }]);
  });

  test('the worst decides the exit code', async () => {
    const { doctor, key, home, database } = await setUp();
    writeFileSync(join(home, 'config.json'), '{', { mode: 0o600 });
    tamper(database, `UPDATE passports SET text = '{}'`);
    expect((await doctor()).code).toBe(3);
    tamper(database, 'DELETE FROM passports');
    expect((await doctor()).code).toBe(2);
    rmSync(join(key, '..', 'did_web_acme.com_key-1.pem'));
    expect((await doctor()).code).toBe(4);
  });
});

const noGit = spawnSync('git', ['--version']).status === 0 ? null : 'git is not installed';
if (noGit !== null) console.warn(`skipped, env files in git: ${noGit}`);
describe.skipIf(noGit !== null)('a private key in an env file', () => {
  const SECRET = `AGENT_PRIVATE_KEY=ed25519:${'07'.repeat(32)}\n`;
  const repository = async () => {
    const place = await setUp();
    const git = (...args: string[]): void => {
      const { status, stderr } = spawnSync('git', args, { cwd: place.cwd, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    };
    git('init', '-q');
    const path = place.file('.env', SECRET);
    chmodSync(path, 0o600);
    const found = async () => {
      const { code, findings } = await place.doctor();
      return { code, findings: findings.filter(({ check }) => check === 'env file') };
    };
    return { ...place, git, path, found };
  };

  test('that git tracks: exit 4', async () => {
    const { git, found, path } = await repository();
    git('add', '-f', '.env');
    const { code, findings } = await found();
    expect(code).toBe(4);
    expect(findings).toMatchObject([{ status: 'failed', message: expect.stringContaining('git tracks') as unknown }]);
    expect(findings[0]!.hint).toContain(`git rm --cached ${path}`);
    expect(JSON.stringify(findings)).not.toContain('0707');
  });
  test('that git does not ignore, and then does; nothing is changed', async () => {
    const { cwd, file, found } = await repository();
    expect((await found()).findings).toMatchObject([{ status: 'warning', hint: 'add it to .gitignore' }]);
    expect(existsSync(join(cwd, '.gitignore'))).toBe(false);
    file('.gitignore', '.env\n');
    expect(await found()).toMatchObject({ code: 0, findings: [{ status: 'ok' }] });
  });
  test('that others may read', async () => {
    const { path, file, found } = await repository();
    file('.gitignore', '.env\n');
    chmodSync(path, 0o644);
    expect((await found()).findings).toMatchObject([{ status: 'warning', hint: `chmod 600 ${path}` }]);
  });
  test('an env file without one is of no concern', async () => {
    const { path, git, found } = await repository();
    writeFileSync(path, 'AGENT_PRIVATE_KEY=\n# AGENT_PRIVATE_KEY=x\nPORT=1\n');
    git('add', '-f', '.env');
    expect(await found()).toEqual({ code: 0, findings: [] });
  });
  test('that an agent was made with, wherever it lies', async () => {
    const { run, io, cwd, found } = await repository();
    mkdirSync(join(io.userHome, 'secrets'));
    const env = join(io.userHome, 'secrets', 'bot2.env');
    const flags = ['--domain', 'acme.com', '-a', 'deploy', '--key-store', 'env', '--env-file', env];
    const made = await run('passport', 'create', 'bot2', ...flags, '-o', join(cwd, 'bot2.json'));
    expect(made.code, made.err).toBe(0);
    expect((await found()).findings.map(({ message }) => message)).toContainEqual(
      `${env} is private, and no git repository tracks it.`,
    );
    writeFileSync(env, readFileSync(env, 'utf8').replace('AGENT_PRIVATE_KEY', 'OTHER'));
    expect((await found()).code).toBe(4);
  });
});

describe('single checks', () => {
  const NOW = Date.parse('2026-02-18T14:23:45Z');
  const newest = (at: number) => ({
    entries: ({ since = at }: EntryQuery) => (at < since ? [] : [{ timestamp: formatTime(at) } as Entry]),
  });
  test.each([
    [NOW, NOW, 'ok'],
    [NOW, NOW + 30_000, 'ok'],
    [NOW, NOW + 30_001, 'warning'],
    [NOW, NOW + 86_400_000, 'warning'],
    [0, NOW, 'failed'],
    [Date.UTC(2024, 11, 31), 0, 'failed'],
  ] as const)('a clock at %i with an entry at %i: %s', (now, at, status) => {
    expect(inspectClock(newest(at), now, 30_000).status).toBe(status);
  });
  test('a clock without a log', () => {
    expect(inspectClock({ entries: () => [] }, NOW, 30_000).status).toBe('ok');
  });
  test('a pinned key of small order counts for nothing', () => {
    const pin = { did: 'did:web:a.com', keyId: 'did:web:a.com#key-1', publicKey: new Uint8Array(32), pinnedAt: 0 };
    const [finding] = inspectPins({ pins: () => [{ ...pin, source: 'added' }], key: () => null });
    expect(finding).toMatchObject({ status: 'failed', exitCode: 3, hint: 'aip principal remove did:web:a.com' });
  });
  test.each([
    ['v18.20.0', 'failed'],
    ['v20.18.3', 'failed'],
    ['v20.19.0', 'ok'],
    ['v24.0.1', 'ok'],
    ['unknown', 'failed'],
  ])('Node %s: %s', async (node, status) => {
    const place = world({ env: { AIP_KEY_STORE: 'file' } });
    const [first] = await checked(place, join(place.io.userHome, 'h'), node);
    expect(first).toMatchObject({ check: 'node', status });
  });
  test('of a long log the newest part is checked', async () => {
    const entries: Entry[] = [];
    let head: Link = START;
    for (let i = 0; i < 10_050; i++) entries.push((head = seal(draft(), 'v', head)));
    const log = {
      bounds: () => ({ after: START, head: { seq: head.seq, hash: head.hash } }),
      records: ({ afterSeq = 0 }) => entries.slice(afterSeq),
    };
    expect(await inspectLog(log)).toMatchObject({
      status: 'ok',
      message: 'The hash chain of the newest 10000 of 10050 entries is whole.',
    });
    entries[60] = { ...entries[60]!, action: 'other' };
    expect(await inspectLog(log)).toMatchObject({ status: 'failed', exitCode: 3 });
  });
});

describe('for a person', () => {
  const look = { paint: plain, width: 60 };
  test('a long message is wrapped under itself, and what to do stays on one line', () => {
    const hint = 'aip principal add did:web:acme.com --public-key <a key that is long>';
    const shown = renderFinding(
      { check: 'passport', status: 'warning', message: 'one two three '.repeat(6), hint, exitCode: 0 },
      look,
    );
    const lines = shown.split('\n');
    expect(lines[0]).toMatch(/^warning {2}passport {3}one two/);
    expect(lines[1]).toMatch(/^ {20}\w/);
    expect(lines.at(-1)).toBe(`${' '.repeat(20)}next: ${hint}`);
  });
  test('40 columns hold it', () => {
    const message = 'one two three '.repeat(6);
    const shown = renderFinding(
      { check: 'passport', status: 'warning', message, hint: null, exitCode: 0 },
      { paint: plain, width: 40 },
    );
    for (const line of shown.split('\n')) expect(line.length, line).toBeLessThanOrEqual(40);
  });
  test('a stranger cannot write on the terminal', () => {
    const shown = renderFinding(
      { check: 'x', status: 'failed', message: 'a\u001b[2Jb\nok  all is well', hint: '\u202ex', exitCode: 4 },
      look,
    );
    expect(shown.split('\n')).toHaveLength(2);
    expect(shown).not.toMatch(/[\u001b\u202e]/);
    expect(shown).toMatch(/^FAILED /);
  });
  test('the last line counts the findings of each kind', () => {
    const finding = (status: Finding['status']): Finding => ({
      check: '',
      status,
      message: '',
      hint: null,
      exitCode: 0,
    });
    expect(renderVerdict([finding('ok'), finding('warning'), finding('failed')], look)).toBe(
      '1 ok, 1 warning, 1 failed',
    );
  });
});

async function checked(place: Pick<World, 'io'>, home: string, node = process.version): Promise<Finding[]> {
  const globals = {
    ...{ json: true, quiet: false, verbose: false, color: false, input: false, debug: false },
    ...{ config: null, home },
  };
  const life = { interrupt: [], afterwards: [] as (() => void | Promise<void>)[], output: { closed: false } };
  const findings: Finding[] = [];
  const cli = shellCli(place.io, globals, { out: plain, err: plain }, life);
  for await (const finding of checkup(cli, { node })) findings.push(finding);
  for (const finish of life.afterwards) await finish();
  return findings;
}
