import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readUserFile, saveUserConfig } from '../../../src/cli/config/files.js';
import { searchProject } from '../../../src/cli/config/search.js';
import { flatten } from '../../../src/cli/config/values.js';
import { KEY_NAMES, KEYS, variableOf, type KeySpec } from '../../../src/cli/config/keys.js';
import { ROLES } from '../../../src/mesh/access/roles.js';
import { pathsOf } from '../../../src/adapters/files/paths.js';
import { world, type World, type WorldOptions } from '../../kit/world.js';

/** What `config list --json` says of one key. */
async function listed(place: World, ...flags: string[]) {
  const { code, out, err } = await place.run('config', 'list', '--json', ...flags);
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
  const answer = JSON.parse(out) as {
    values: Record<string, unknown>;
    sources: Record<string, { origin: string; from: string | null }>;
    untrusted: string[];
    files: { project: string | null; user: string | null };
  };
  return { ...answer, err };
}
/** Lets the project file at hand count in this world. */
async function believe(place: World): Promise<World> {
  const { code, out, err } = await place.run('config', 'trust', '--print');
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
  Object.assign(place.io.env, { AIP_TRUST_CONFIG: out.trim() });
  return place;
}
const homed = (options: WorldOptions = {}): World =>
  world({ ...options, env: { AIP_HOME: '/nonexistent', ...options.env } });

describe('a public key named by its file', () => {
  const HEX = `ed25519:${'5a'.repeat(32)}`;
  const named = JSON.stringify({
    principals: { 'did:web:acme.com': 'keys/acme.pem' },
    mesh: { url: 'https://mesh.example', public_key: '../mesh.key' },
  });
  const put = (place: World, config: string): string => {
    place.file('conf/keys/acme.pem', `\ufeff${HEX}\r\n`);
    place.file('mesh.key', HEX);
    return place.file(config, named);
  };

  test('is read in the config of the home and in one of --config, from its folder, and stays its file there', async () => {
    const place = world();
    const path = put(place, 'conf/config.json');
    const home = join(place.cwd, 'conf');
    for (const flags of [
      ['--config', path],
      ['--home', home],
    ]) {
      const { values } = await listed(place, ...flags);
      expect([values['principals'], values['mesh.public_key']]).toEqual([{ 'did:web:acme.com': HEX }, HEX]);
    }
    saveUserConfig(pathsOf(place.io, home), { domain: 'acme.com' });
    expect(readFileSync(path, 'utf8')).toContain('"keys/acme.pem"');
    place.file('conf/keys/acme.pem', 'nothing');
    const { code, err } = await place.run('config', 'list', '--home', home);
    expect([code, err]).toEqual([2, expect.stringContaining('acme.pem, which')]);
  });

  test('is none in a project file, which holds the key itself', async () => {
    const place = homed();
    put(place, 'conf/other.json');
    place.file('.aiprc.json', JSON.stringify({ principals: { 'did:web:acme.com': 'conf/keys/acme.pem' } }));
    const { code, err } = await place.run('config', 'trust', '--print');
    expect([code, err]).toEqual([2, expect.stringContaining('no public key')]);
  });
});

describe('the table of keys', () => {
  test('every default is a value of its kind, and every variable has one name', () => {
    for (const name of KEY_NAMES)
      expect((KEYS[name] as KeySpec<unknown>).kind.read(KEYS[name].fallback), name).not.toBeUndefined();
    expect(new Set(KEY_NAMES.map(variableOf)).size).toBe(KEY_NAMES.length);
    expect(variableOf('verify.max_age')).toBe('AIP_VERIFY_MAX_AGE');
  });
});

describe('order', () => {
  test('environment, project, user, default', async () => {
    const place = world();
    const user = join(place.io.userHome, 'h');
    const env = { AIP_HOME: user };
    saveUserConfig(pathsOf(place.io, user), { domain: 'user.example', 'verify.max_age': '60s', 'log.params': 'none' });
    place.file('.aiprc', 'verify:\n  max_age: 45s\ndomain: project.example\n');
    const trusted = { AIP_TRUST_CONFIG: (await place.run('config', 'trust', '--print')).out.trim() };
    const layered: World = { ...world({ env: { ...env, ...trusted, AIP_DOMAIN: 'env.example' } }) };
    const both = { ...layered.io, cwd: place.cwd, userHome: place.io.userHome };
    const { run } = await import('../../../src/cli/main.js');
    let out = '';
    both.stdout.write = ((text: string, done?: () => void) => {
      out += text;
      done?.();
      return true;
    }) as typeof both.stdout.write;
    expect(await run(['config', 'list', '--json'], both)).toBe(0);
    const { values, sources } = JSON.parse(out) as {
      values: Record<string, unknown>;
      sources: Record<string, unknown>;
    };
    expect(values).toMatchObject({
      domain: 'env.example',
      'verify.max_age': '45s',
      'log.params': 'none',
      'verify.max_skew': '30s',
    });
    expect(sources).toMatchObject({
      domain: { origin: 'environment', from: 'AIP_DOMAIN' },
      'verify.max_age': { origin: 'project', from: join(place.cwd, '.aiprc') },
      'log.params': { origin: 'user', from: join(user, 'config.json') },
      'verify.max_skew': { origin: 'default', from: null },
    });
  });
  test('an empty variable counts as unset', async () => {
    const { sources } = await listed(homed({ env: { AIP_DOMAIN: '' } }));
    expect(sources['domain']!.origin).toBe('default');
  });
  test('--config replaces the search', async () => {
    const place = homed();
    place.file('.aiprc', 'domain: found.example');
    place.file('other.yaml', 'domain: named.example');
    expect((await listed(place, '--config', 'other.yaml')).values['domain']).toBe('named.example');
  });
  test('for people: a line a key; --sources adds where from', async () => {
    const place = homed({ env: { AIP_DOMAIN: 'acme.com' } });
    expect((await place.run('config', 'list')).out).toContain('domain\tacme.com\n');
    const { out, err } = await place.run('config', 'list', '--sources');
    expect(out).toContain('domain\tacme.com\tenvironment: AIP_DOMAIN\n');
    expect(err).toContain('/nonexistent/state.db');
  });
  test.each([60, 80])('no key is cut in %i columns', async (columns) => {
    const { out } = await homed({ tty: true, columns, env: { CI: '1', NO_COLOR: '1' } }).run(
      'config',
      'list',
      '--sources',
    );
    for (const key of Object.keys(KEYS)) expect(out.split(/\s+/)).toContain(key);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
  });
  test('a misspelt variable is pointed out', async () => {
    const { err } = await listed(homed({ env: { AIP_VERIFY_MAXAGE: '1s' } }));
    expect(err).toContain('did you mean AIP_VERIFY_MAX_AGE?');
  });
});

describe('where the project file is looked for', () => {
  test.each([
    ['.aiprc', 'domain: a.example'],
    ['.aiprc', '{"domain": "a.example"}'],
    ['.aiprc.json', '{"domain": "a.example"}'],
    ['.aiprc.json', '\ufeff{"domain": "a.example"}'],
    ['.aiprc.yaml', 'domain: a.example'],
    ['.aiprc.yml', 'domain: a.example'],
    ['.config/aiprc', 'domain: a.example'],
    ['.config/aiprc.json', '{"domain": "a.example"}'],
    ['.config/aiprc.yaml', 'domain: a.example'],
    ['.config/aiprc.yml', 'domain: a.example'],
    ['package.json', '{"name": "x", "aip": {"domain": "a.example"}}'],
  ])('%s: %s', async (path, text) => {
    const place = homed({ cwd: 'project/deep/er' });
    place.file(join('../..', path), text);
    expect((await listed(place)).values['domain']).toBeNull();
    const { values, files } = await listed(await believe(place));
    expect(values['domain']).toBe('a.example');
    expect(files.project).toBe(join(place.cwd, '../..', path));
  });
  test('not above the home folder', async () => {
    const place = homed({ cwd: 'a/b' });
    place.file('../../.aiprc', 'domain: home.example');
    expect((await searchProject(place.io)).files[0]?.path).toBe(join(place.io.userHome, '.aiprc'));
    const below = { ...place.io, userHome: join(place.io.userHome, 'a') };
    expect((await searchProject(below)).files).toEqual([]);
  });
  test.each([
    ['aip.config.mjs', 'globalThis.pwned = 1; export default {}'],
    ['aip.config.js', 'globalThis.pwned = 1'],
    ['.aiprc.js', 'globalThis.pwned = 1'],
    ['.aiprc.mjs', 'globalThis.pwned = 1'],
    ['.config/config.js', 'globalThis.pwned = 1'],
    ['.config/config.mjs', 'globalThis.pwned = 1; export default {}'],
    ['.config/aiprc.js', 'globalThis.pwned = 1'],
    ['package.json', '{"aip": "bin/aip.cjs", "bin": {"aip": "bin/aip.cjs"}}'],
    ['package.json', '{"cosmiconfig": {"searchPlaces": [".aiprc.js"]}}'],
  ])('%s is not a config and is never run', async (path, text) => {
    const place = homed();
    place.file(path, text);
    place.file('.aiprc.js', 'globalThis.pwned = 1');
    expect((await listed(place)).files.project).toBeNull();
    expect(globalThis).not.toHaveProperty('pwned');
  });
  test('$import in a data file names no other file', async () => {
    const place = homed();
    place.file('evil.js', 'globalThis.pwned = 1');
    place.file('.aiprc', '$import: ./evil.js');
    expect((await place.run('config', 'trust', '--yes')).code).toBe(2);
    expect(globalThis).not.toHaveProperty('pwned');
  });
  test('--config - reads stdin', async () => {
    const { run, io } = world({ stdin: 'domain: stdin.example\n' });
    const { code, out, err } = await run('config', 'list', '--json', '--config', '-', '--home', join(io.userHome, 'h'));
    expect(code, err).toBe(0);
    expect((JSON.parse(out) as { values: object }).values).toMatchObject({ domain: 'stdin.example' });
  });
  test('code is read only when --config names it', async () => {
    const place = homed();
    place.file('my.config.mjs', 'export default { domain: "code.example" }');
    expect((await listed(place, '--config', 'my.config.mjs')).values['domain']).toBe('code.example');
  });
});

describe('what is refused', () => {
  test.each([
    ['domian: acme.com', 'unknown key "domian"', 'did you mean domain?'],
    ['verify:\n  maxage: 1s', 'unknown key "verify.maxage"', 'did you mean verify.max_age?'],
    ['verify.max_age: 1s', 'verify.max_age', ''],
    ['__proto__:\n  domain: x', 'unknown key "__proto__"', ''],
    ['verify: fast', 'verify in', 'an object'],
    ['domain: Acme.COM', 'domain in', 'a DNS name'],
    ['domain: 5', 'domain in', 'a DNS name'],
    ['verify:\n  max_age: 300', 'verify.max_age', 'a duration'],
    ['verify:\n  max_age: -5s', 'verify.max_age', 'a duration'],
    ['verify:\n  min_trust: 1.5', 'verify.min_trust', 'a number from 0 to 1'],
    ['verify:\n  min_trust: .nan', 'verify.min_trust', 'a number from 0 to 1'],
    ['key_store: cloud', 'key_store', 'keychain | file | env'],
    ['log:\n  params: all', 'log.params', 'full | masked | none'],
    ['revocation:\n  on_stale: allow', 'revocation.on_stale', 'last-known | deny'],
    ['monitor:\n  auto_revoke: "yes"', 'monitor.auto_revoke', 'true | false'],
    ['mesh:\n  url: file:///etc/passwd', 'mesh.url', 'http(s) URL'],
    ['mesh:\n  url: https://user:secret@mesh.example', 'mesh.url', 'http(s) URL'],
    ['mesh:\n  public_key: abc', 'mesh.public_key', 'ed25519:'],
    ['mesh:\n  regions: [{name: x, endpoint: "https://m", extra: 1}]', 'mesh.regions', 'a list of'],
    ['principals:\n  "did:web:acme.com": nonsense', 'principals', 'public keys'],
    ['principals:\n  acme.com: x', 'principals in', 'is not public keys by principal'],
    ['hooks: hook.js', 'hooks', 'a list of strings'],
    [
      'trust:\n  suspicious_patterns: [{type: other, threshold: 1, window_seconds: 1}]',
      'trust.suspicious_patterns',
      'a list',
    ],
    ['- domain', 'is not an object', ''],
    ['domain: [', 'cannot be read', ''],
    ['domain: a\ndomain: b', 'cannot be read', ''],
    ['mesh:\n  key: secret', 'unknown key "mesh.key"', ''],
  ])('%j', async (text, message, expected) => {
    const place = homed();
    place.file('.aiprc', text);
    const { code, out, err } = await place.run('config', 'trust', '--yes');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toContain(expected);
    expect(err).not.toMatch(/\n\s+at /);
  });
  test.each([
    ['AIP_VERIFY_MAX_AGE', '300'],
    ['AIP_KEY_STORE', 'cloud'],
    ['AIP_MONITOR_AUTO_REVOKE', 'maybe'],
    ['AIP_TRUST_INITIAL_SCORE', '5e-1'],
    ['AIP_HOOKS', 'not json'],
    ['AIP_VERIFY_DIALECTS', 'native,'],
    ['AIP_VERIFY_DIALECTS', 'native,aip-2'],
    ['AIP_VERIFY_DIALECTS', '[]'],
    ['AIP_VERIFY_DIALECTS', '["native"'],
  ])('%s=%s', async (name, value) => {
    const { code, err } = await homed({ env: { [name]: value } }).run('config', 'list');
    expect(code).toBe(2);
    expect(err).toContain(name);
  });
  test.each([
    ['native', ['native']],
    ['native,aip-1', ['native', 'aip-1']],
    [' native , aip-1 ', ['native', 'aip-1']],
    ['["aip-1"]', ['aip-1']],
  ])('AIP_VERIFY_DIALECTS=%s is a list', async (value, dialects) => {
    const { code, out } = await homed({ env: { AIP_VERIFY_DIALECTS: value } }).run('config', 'list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toHaveProperty(['values', 'verify.dialects'], dialects);
  });
  test.each(['AIP_HOOKS', 'AIP_PRINCIPALS', 'AIP_MESH_REGIONS'])('%s says that it is JSON', async (name) => {
    const { err } = await homed({ env: { [name]: 'a,b' } }).run('config', 'list');
    expect(err).toMatch(/written in JSON: it is "a,b"/);
  });
  test('YAML that does not parse: where, and none of it is quoted', async () => {
    const place = homed();
    place.file('.aiprc', 'monitor:\n  slack_url: [ https://hooks.example/secret\n');
    const { code, err } = await place.run('config', 'trust', '--yes');
    expect(code).toBe(2);
    expect(err).toMatch(/\.aiprc: cannot be read: unexpected end of the stream.* \(3:1\) \[USAGE\]/);
    expect(err).not.toContain('secret');
  });
  test.each([
    ['{"domain":', 'is not JSON on line 1'],
    ['{\n"domain": "a.example",\n"domain": "b.example"}', 'on line 3: duplicate'],
    ['{\n"revocation": {"on_stale": "deny"},\n\n"revocation": {}\n}', 'on line 4: duplicate'],
    ['{"domain": "a.example",}', 'on line 1'],
    ['// remark\n{}', 'on line 1'],
    [`{"domain": "${'a'.repeat(70_000)}"}`, 'larger than'],
  ])('JSON that does not hold, by its line: %j', async (text, message) => {
    const place = homed();
    place.file('.aiprc.json', text);
    expect(await place.run('config', 'trust', '--yes')).toMatchObject({
      code: 2,
      err: expect.stringContaining(message) as string,
    });
    const user = world();
    user.file('h/config.json', text);
    const own = await user.run('config', 'list', '--home', join(user.cwd, 'h'));
    expect([own.code, own.err]).toEqual([2, expect.stringContaining(message)]);
  });
  test('a pipe, which would be waited for', async () => {
    const place = homed();
    const pipe = join(place.cwd, 'aip.yaml');
    execFileSync('mkfifo', [pipe]);
    expect(await place.run('config', 'list', '--config', pipe)).toMatchObject({
      code: 3,
      err: expect.stringContaining('not a regular file'),
    });
  });
  test('a named file that does not exist is exit 3', async () => {
    const { code, err } = await homed().run('status', '--config', 'nope.json');
    // What is proposed must not end at the same file.
    expect([code, err]).toEqual([3, expect.stringContaining('hint: name a file that exists with --config')]);
  });
  test('aliases that multiply stay cheap', async () => {
    const place = homed();
    const lines = ['a0: &a0 [x, x]', ...Array.from({ length: 25 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)];
    place.file('.aiprc', lines.join('\n'));
    expect((await place.run('config', 'trust', '--yes')).code).toBe(2);
  });
});

describe('the user file', () => {
  test('is written whole, for this user only, member by member', () => {
    const place = world();
    const paths = pathsOf(place.io, join(place.io.userHome, 'h'));
    saveUserConfig(paths, { domain: 'acme.com', 'mesh.url': 'https://m.example' });
    saveUserConfig(paths, { 'mesh.url': null, key_store: 'file' });
    expect(JSON.parse(readFileSync(paths.userConfigFile, 'utf8'))).toEqual({ domain: 'acme.com', key_store: 'file' });
    expect(statSync(paths.userConfigFile).mode & 0o777).toBe(0o600);
    expect(flatten(readUserFile(paths)!)).toEqual({ domain: 'acme.com', key_store: 'file' });
  });
  test('hooks are paths from the file that names them', async () => {
    const place = world();
    const home = join(place.io.userHome, 'h');
    saveUserConfig(pathsOf(place.io, home), { hooks: ['./hook.mjs'] });
    const { loadConfig } = await import('../../../src/cli/config/load.js');
    const cli = {
      io: place.io,
      globals: { config: null },
      workspace: { paths: () => pathsOf(place.io, home) },
    } as never;
    expect((await loadConfig(cli)).get('hooks')).toEqual([join(home, 'hook.mjs')]);
    expect((await loadConfig(cli)).get('verify.max_age')).toBe(300_000);
  });
});

describe('folders', () => {
  const at = (platform: NodeJS.Platform, env: Record<string, string>, home: string | null = null) =>
    pathsOf({ platform, env, cwd: '/place', userHome: platform === 'win32' ? 'C:\\Users\\x' : '/home/x' }, home);
  test('XDG, its variables, and relative ones ignored', () => {
    expect(at('linux', {})).toMatchObject({
      userConfigFile: '/home/x/.config/aip/config.json',
      stateFile: '/home/x/.local/state/aip/state.db',
      keysDir: '/home/x/.local/share/aip/keys',
    });
    expect(at('linux', { XDG_STATE_HOME: '/s', XDG_CONFIG_HOME: 'relative' })).toMatchObject({
      stateFile: '/s/aip/state.db',
      configDir: '/home/x/.config/aip',
    });
  });
  test('the folders that macOS and Windows have for it', () => {
    expect(at('darwin', {}).stateFile).toBe('/home/x/Library/Application Support/aip/state.db');
    expect(at('win32', { APPDATA: 'C:\\R', LOCALAPPDATA: 'C:\\L' })).toMatchObject({
      configDir: 'C:\\R\\aip',
      stateFile: 'C:\\L\\aip\\state.db',
    });
    expect(at('win32', { APPDATA: '', LOCALAPPDATA: 'project' })).toMatchObject({
      configDir: 'C:\\Users\\x\\AppData\\Roaming\\aip',
      stateFile: 'C:\\Users\\x\\AppData\\Local\\aip\\state.db',
    });
  });
  test('one folder for all with a home, relative to the current folder', () => {
    expect(at('linux', {}, 'h')).toMatchObject({
      configDir: '/place/h',
      stateFile: '/place/h/state.db',
    });
  });
  test('a ~ that no shell has read is the home folder, and never a folder of that name', () => {
    for (const home of ['~', '~/', '~/x', '~/x/y'])
      expect(at('linux', {}, home).configDir).toBe(join('/home/x', home.slice(1)).replace(/\/$/, ''));
    expect(() => at('linux', {}, '~other/x')).toThrow('begins with ~');
    expect(at('linux', {}, './~x').configDir).toBe('/place/~x');
    expect(at('linux', {}, 'a~/x').configDir).toBe('/place/a~/x');
  });
  test('no home folder at all is wrong use', () => {
    expect(() => pathsOf({ platform: 'linux', env: {}, cwd: '/', userHome: '' }, null)).toThrow('no home folder');
  });
  test('a link as config file is followed', async () => {
    const place = homed();
    const real = place.file('real.yaml', 'domain: linked.example');
    symlinkSync(real, join(place.cwd, '.aiprc'));
    expect((await listed(await believe(place))).values['domain']).toBe('linked.example');
  });
});

test.each(ROLES)('what joining with a key of the role %s writes is read again', async (role) => {
  const here = world();
  const config = (name: string) => here.file('c.json', JSON.stringify({ mesh: { key_id: name } }));
  expect(await here.run('config', 'list', '--config', config(`aipm_${role}_0123456789ab`))).toMatchObject({ code: 0 });
  for (const other of [`aipm_${role}_0123456789ab_00`, `aipm_${role}s_0123456789ab`, 'aipm_constructor_0123456789ab'])
    expect((await here.run('config', 'list', '--config', config(other))).code).toBe(2);
});
