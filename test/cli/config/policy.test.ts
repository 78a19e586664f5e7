/** Attacks 1: nothing that lies in a folder displaces a policy, and nothing that nobody trusted hurts. */
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig, type Config } from '../../../src/cli/config/load.js';
import { KEYS, type KeyName, type KeySpec } from '../../../src/cli/config/keys.js';
import { pathsOf } from '../../../src/adapters/files/paths.js';
import { world, type World, type WorldOptions } from '../../kit/world.js';

const KEY = `ed25519:${'0f'.repeat(32)}`;
const PLACES = [
  'package.json',
  '.aiprc',
  '.aiprc.json',
  '.aiprc.yaml',
  '.aiprc.yml',
  '.config/aiprc',
  '.config/aiprc.json',
  '.config/aiprc.yaml',
  '.config/aiprc.yml',
];

/** A value of every key that is stricter, or at least other, than the default. */
const STRICT: Readonly<Partial<Record<KeyName, unknown>>> = {
  'verify.max_age': '10s',
  'verify.max_skew': '1s',
  'verify.min_trust': 0.9,
  'revocation.max_age': '5s',
  'revocation.on_stale': 'deny',
  hooks: ['./hook.mjs'],
  principals: { 'did:web:acme.com': KEY },
};

function nested(values: Readonly<Partial<Record<string, unknown>>>): Record<string, unknown> {
  const made: Record<string, Record<string, unknown>> = {};
  for (const [name, value] of Object.entries(values)) {
    const [group, member] = name.split('.') as [string, string | undefined];
    if (member === undefined) made[group] = value as never;
    else made[group] = { ...made[group], [member]: value };
  }
  return made;
}
const textFor = (place: string, values: Record<string, unknown>): string =>
  JSON.stringify(place === 'package.json' ? { name: 'x', aip: values } : values);

function staged(options: WorldOptions = {}) {
  const w = world({ cwd: 'repo/a/b', ...options });
  const home = join(w.io.userHome, 'h');
  const put = (path: string, text: string): string => w.file(join('../..', path), text);
  put('hook.mjs', 'export default { verify: () => ({ result: "allow" }) };');
  mkdirSync(join(w.cwd, '../..', '.git'));
  const at = (folder: string, env: Record<string, string> = {}): World['io'] => ({
    ...w.io,
    env: { ...w.io.env, ...env },
    cwd: join(w.cwd, '../..', folder),
  });
  const load = (folder = 'a/b', env: Record<string, string> = {}): Promise<Config> =>
    loadConfig({
      io: at(folder, env),
      globals: { config: null },
      workspace: { paths: () => pathsOf(w.io, home) },
    });
  const trust = async (folder: string): Promise<string> => {
    const { run } = await import('../../../src/cli/main.js');
    expect(await run(['config', 'trust', '--yes', '--quiet', '--home', home], at(folder))).toBe(0);
    return w.out();
  };
  return { w, home, put, load, trust, repo: join(w.cwd, '../..') };
}

/** True when `now` lets nothing pass that `before` would not. */
function noWeaker(before: Config, now: Config): boolean {
  if (now.problems.length > 0) return true;
  const numbers = (Object.keys(KEYS) as KeyName[]).every((name) => {
    const { loosens } = KEYS[name] as KeySpec<unknown>;
    return loosens === undefined || !/^(verify|revocation)\./.test(name) || !loosens(now.get(name), before.get(name));
  });
  const others = (['log.params', 'trust.failure_decrement', 'monitor.auto_revoke', 'mesh.url'] as const).every(
    (name) => JSON.stringify(now.get(name)) === JSON.stringify(before.get(name)),
  );
  const hooks = before.get('hooks').every((hook) => now.get('hooks').includes(hook));
  const pins = Object.entries(now.principals).every(([did, key]) => key === null || before.principals[did] === key);
  return numbers && others && hooks && pins && Object.keys(before.principals).every((did) => did in now.principals);
}

describe('an added, emptied, deleted or moved file', () => {
  const deeds = ['add', 'add git', 'empty', 'delete', 'move', 'change', 'link'] as const;
  test.each(deeds)('never makes a decision weaker: %s', async (deed) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PLACES),
        fc.constantFrom(...PLACES),
        fc.constantFrom('', 'a', 'a/b'),
        fc.subarray(Object.keys(STRICT) as KeyName[], { minLength: 1 }),
        fc.constantFrom<Record<string, unknown>>(
          {},
          { verify: { max_age: '3650d', min_trust: 0 }, hooks: [] },
          { revocation: { on_stale: 'last-known', max_age: '1d' }, principals: {} },
          { log: { params: 'none' }, trust: { failure_decrement: 1 }, monitor: { auto_revoke: true } },
          { mesh: { url: 'https://evil.example' }, principals: { 'did:web:acme.com': `ed25519:${'0e'.repeat(32)}` } },
          { nonsense: true },
        ),
        async (place, other, folder, names, evil) => {
          const s = staged();
          const path = s.put(
            place,
            textFor(place, nested(Object.fromEntries(names.map((name) => [name, STRICT[name]])))),
          );
          await s.trust('');
          const before = await s.load();
          expect(before.problems).toEqual([]);
          const victim = join(s.repo, folder, other);
          mkdirSync(dirname(victim), { recursive: true });
          if (deed === 'add') writeFileSync(victim, textFor(other, evil));
          else if (deed === 'add git') mkdirSync(join(s.repo, 'a/.git'));
          else if (deed === 'empty') writeFileSync(path, '');
          else if (deed === 'delete') rmSync(path);
          else if (deed === 'move') renameSync(path, join(s.repo, 'a/b', `moved-${other.replace('/', '-')}`));
          else if (deed === 'change') writeFileSync(path, textFor(place, evil));
          else {
            rmSync(path);
            symlinkSync('/dev/null', path);
          }
          expect(noWeaker(before, await s.load())).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('nor does any added value of any key', async () => {
    const s = staged();
    s.put('.aiprc.json', JSON.stringify(nested(STRICT)));
    await s.trust('');
    const before = await s.load();
    for (const name of Object.keys(KEYS) as KeyName[]) {
      s.put('a/.aiprc', JSON.stringify(nested({ [name]: KEYS[name].fallback })));
      const now = await s.load();
      expect([name, noWeaker(before, now), now.problems]).toEqual([name, true, []]);
    }
  });
});

describe('trusted files', () => {
  test('add up: hooks of all, the stricter number, principals that all agree on', async () => {
    const s = staged();
    const other = `ed25519:${'0d'.repeat(32)}`;
    s.put('a/hook.mjs', 'export default { verify: () => ({ result: "allow" }) };');
    s.put(
      '.aiprc.json',
      JSON.stringify({
        hooks: ['./hook.mjs'],
        verify: { max_age: '10s', max_skew: '9s' },
        principals: { 'did:web:acme.com': KEY, 'did:web:b.com': KEY },
      }),
    );
    s.put(
      'a/.aiprc.json',
      JSON.stringify({
        hooks: ['./hook.mjs'],
        verify: { max_age: '60s', max_skew: '2s' },
        principals: { 'did:web:acme.com': KEY, 'did:web:b.com': other },
      }),
    );
    await s.trust('');
    await s.trust('a');
    const config = await s.load();
    expect(config.get('hooks')).toEqual([join(s.repo, 'a/hook.mjs'), join(s.repo, 'hook.mjs')]);
    expect([config.get('verify.max_age'), config.get('verify.max_skew')]).toEqual([10_000, 2_000]);
    expect(config.principals).toEqual({ 'did:web:acme.com': KEY, 'did:web:b.com': null });
    expect(config.problems).toEqual([]);
  });

  test('have no say in the log, in scores and in who is told', async () => {
    const s = staged();
    s.put(
      '.aiprc.json',
      JSON.stringify({ log: { params: 'none' }, trust: { failure_decrement: 1 }, monitor: { auto_revoke: true } }),
    );
    await s.trust('');
    const config = await s.load();
    expect([
      config.get('log.params'),
      config.get('trust.failure_decrement'),
      config.get('monitor.auto_revoke'),
    ]).toEqual(['masked', 0.05, false]);
    expect(config.warnings.map(({ code }) => code)).toEqual(['config_ignored']);
  });

  test('two in one folder are an error, whichever of them is trusted', async () => {
    const s = staged();
    s.put('.aiprc', JSON.stringify(nested(STRICT)));
    await s.trust('');
    s.put('.aiprc.json', '{}');
    expect((await s.load()).problems).toMatchObject([
      { code: 'USAGE', message: expect.stringContaining('two project files') as string },
    ]);
  });

  test.skipIf(process.getuid?.() !== 0)("count through no folder of another user's", async () => {
    const s = staged({ uid: 4_000_000 });
    s.put('.aiprc', JSON.stringify(nested(STRICT)));
    chownSync(join(s.repo, 'a'), 4_000_001, 4_000_001);
    expect((await s.load()).untrusted).toEqual([]);
  });

  test('are forgotten only when that is said', async () => {
    const s = staged();
    const path = s.put('.aiprc', JSON.stringify(nested(STRICT)));
    await s.trust('');
    rmSync(path);
    expect((await s.load()).problems).toHaveLength(1);
    const { code, out } = await s.w.run('config', 'trust', '--forget', path, '--home', s.home);
    expect([code, out]).toEqual([0, `forgotten ${path}\n`]);
    expect((await s.load()).problems).toEqual([]);
  });
});

describe('AIP_TRUST_CONFIG', () => {
  test('takes the digest that aip config trust prints, of this file alone', async () => {
    const s = staged();
    s.put('.aiprc.json', JSON.stringify(nested(STRICT)));
    const { out } = await s.w.run('config', 'trust', '--print', '--home', s.home);
    expect(out).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    const env = { AIP_TRUST_CONFIG: out.trim() };
    expect((await s.load('a/b', env)).get('verify.max_age')).toBe(10_000);
    s.put('.aiprc.json', JSON.stringify({ verify: { max_age: '1d' } }));
    expect((await s.load('a/b', env)).problems).toHaveLength(1);
  });

  test.each(['1', 'true', 'sha256:', 'sha256:xyz', '*'])('%s is refused, with what to set', async (value) => {
    const s = staged();
    s.put('.aiprc.json', '{"domain": "acme.com"}');
    const { problems } = await s.load('a/b', { AIP_TRUST_CONFIG: value });
    expect(problems).toMatchObject([
      { code: 'USAGE', hint: expect.stringContaining('aip config trust --print') as string },
    ]);
  });
});

describe('a project file that nobody trusted', () => {
  const evil = JSON.stringify({
    verify: { max_age: '0s' },
    log: { params: 'none' },
    trust: { failure_decrement: 1 },
    monitor: { auto_revoke: true },
  });
  test.each([
    ['is ignored', evil],
    ['has an unknown key', '{"nonsense": 1}'],
    ['does not parse', '{{{'],
    ['is empty', '{}'],
  ])('that %s fails no command, and is named in at most one warning', async (name, text) => {
    const s = staged();
    s.put('a/.aiprc.json', text);
    const home = ['--home', s.home];
    for (const argv of [
      ['revoke', 'did:web:acme.com:agents:bot', '--reason', 'x', '--yes', ...home],
      ['suspend', 'did:web:acme.com:agents:bot', '--for', '30m', '--reason', 'x', ...home],
      ['status', 'did:web:acme.com:agents:bot', ...home],
      ['config', 'list', ...home],
      ['doctor', ...home],
    ]) {
      const { code, err } = await s.w.run(...argv);
      expect([argv[0], [0, 3, 4].includes(code)], err).toEqual([argv[0], true]);
      expect((err.match(/config_(?:untrusted|skipped)/g) ?? []).length).toBe(name === 'is empty' ? 0 : 1);
    }
    expect((await s.w.run('intent', 'verify', s.put('i.json', '{}'), ...home)).code).toBe(10);
  });

  test('and a trusted one that is gone stop no denial, and every verification', async () => {
    const s = staged();
    const path = s.put('.aiprc', JSON.stringify(nested(STRICT)));
    await s.trust('');
    rmSync(path);
    const home = ['--home', s.home];
    expect([0, 3]).toContain(
      (await s.w.run('revoke', 'did:web:acme.com:agents:bot', '--reason', 'x', '--yes', ...home)).code,
    );
    const { code, err } = await s.w.run('intent', 'verify', s.put('i.json', '{}'), ...home);
    expect([code, err]).toEqual([2, expect.stringContaining('is missing')]);
  });
});

describe('looking for config', () => {
  test.each<[string, (repo: string) => void]>([
    ['a file called .config', (repo) => writeFileSync(join(repo, '.config'), 'CONFIG_X=y\n')],
    ['a link that leads to itself', (repo) => symlinkSync('.aiprc', join(repo, '.aiprc'))],
    ['a link into nowhere', (repo) => symlinkSync('nowhere', join(repo, '.aiprc'))],
    ['a folder called .aiprc', (repo) => mkdirSync(join(repo, '.aiprc'))],
    [
      'merge marks in a package.json',
      (repo) => writeFileSync(join(repo, 'package.json'), '<<<<<<< HEAD\n{"aip": {}}\n=======\n'),
    ],
    ['a binary .aiprc', (repo) => writeFileSync(join(repo, '.aiprc'), Buffer.from([0, 1, 2, 255]))],
    ['a pipe', (repo) => symlinkSync('/dev/zero', join(repo, '.aiprc'))],
  ])('goes on past %s', async (_, make) => {
    const s = staged();
    make(s.repo);
    const home = ['--home', s.home];
    for (const argv of [
      ['revoke', 'did:web:acme.com:agents:bot', '--reason', 'x', '--yes'],
      ['status', 'did:web:acme.com:agents:bot'],
      ['intent', 'verify', s.put('i.json', '{}')],
    ]) {
      const { code, err } = await s.w.run(...argv, ...home);
      expect([0, 3, 10], err).toContain(code);
      expect((err.match(/config_/g) ?? []).length).toBeLessThanOrEqual(1);
    }
  });

  test('goes on past a folder that this user may not search', async () => {
    const s = staged();
    mkdirSync(join(s.repo, '.config'));
    chmodSync(join(s.repo, '.config'), 0o000);
    expect((await s.w.run('status', 'did:web:acme.com:agents:bot', '--home', s.home)).code).toBe(0);
    chmodSync(join(s.repo, '.config'), 0o700);
  });
});

describe('a config of the home', () => {
  test.each([
    ['that others may write', (home: string) => chmodSync(join(home, 'config.json'), 0o666), 'chmod 600'],
    ['in a folder that others may write', (home: string) => chmodSync(home, 0o777), 'chmod 700'],
    ['of another user', (home: string) => chownSync(join(home, 'config.json'), 4_000_001, 4_000_001), 'chown'],
    ['that does not parse', (home: string) => writeFileSync(join(home, 'config.json'), '{'), 'correct'],
  ])('%s is refused for what trusts it, and stops no denial', async (_, spoil, remedy) => {
    if (process.getuid?.() !== 0 && remedy === 'chown') return;
    const s = staged({ uid: process.getuid?.() === 0 ? 4_000_000 : (process.getuid?.() ?? null) });
    s.w.file('../../../h/config.json', JSON.stringify({ principals: { 'did:web:acme.com': KEY } }));
    chmodSync(s.home, 0o700);
    spoil(s.home);
    const home = ['--home', s.home];
    const verified = await s.w.run('intent', 'verify', s.put('i.json', '{}'), ...home);
    // A folder that others may write spoils the state in it as well.
    expect([2, 3]).toContain(verified.code);
    expect(verified.err).toContain(remedy);
    const denied = await s.w.run('revoke', 'did:web:acme.com:agents:bot', '--reason', 'x', '--yes', ...home);
    expect([0, 3], denied.err).toContain(denied.code);
    expect(denied.err).toContain('config_unusable');
    const checkup = await s.w.run('doctor', ...home);
    expect([2, 3]).toContain(checkup.code);
    expect(checkup.out).toContain(remedy);
  });
});
