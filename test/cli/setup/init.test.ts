import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bundle } from '../../kit/bundle.js';
import { openAt } from '../../kit/state/temporary.js';
import { noPty, play } from '../../kit/terminal.js';
import { world, type World, type WorldOptions } from '../../kit/world.js';

const PASSPHRASE = 'correct horse';

function fresh(options: WorldOptions = {}) {
  const place = world({ ...options, env: { AIP_KEY_PASSPHRASE: PASSPHRASE, ...options.env } });
  const home = join(place.io.userHome, 'home');
  const config = join(home, 'config.json');
  return {
    place,
    home,
    config,
    init: (...flags: string[]) => place.run('init', '--home', home, ...flags),
    read: () => JSON.parse(readFileSync(config, 'utf8')) as unknown,
  };
}
const FILE = ['--domain', 'acme.com', '--key-store', 'file'];

describe('aip init', () => {
  test('writes the config, makes the principal key, and pins it', async () => {
    const { init, read, home, config } = fresh();
    const { code, out, err } = await init(...FILE, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const answer = JSON.parse(out) as Record<string, string>;
    const ref = join(home, 'keys', 'did_web_acme.com_key-1.pem');
    expect(answer).toEqual({
      config,
      principal: 'did:web:acme.com',
      principal_public_key: expect.stringMatching(/^ed25519:[0-9a-f]{64}$/) as unknown,
      key_store: 'file',
      key_ref: ref,
      changed: true,
    });
    expect(read()).toEqual({ key_store: 'file', domain: 'acme.com' });
    expect([statSync(config).mode & 0o777, statSync(ref).mode & 0o777]).toEqual([0o600, 0o600]);
    const [pin] = openAt(join(home, 'state.db')).pins('did:web:acme.com');
    expect(`ed25519:${Buffer.from(pin!.publicKey).toString('hex')}`).toBe(answer['principal_public_key']);
    expect(readFileSync(ref, 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
  });

  test('run again, says that all is there, changes nothing and needs no passphrase', async () => {
    const { init, place, home } = fresh();
    const first = JSON.parse((await init(...FILE, '--json')).out) as object;
    const before = readdirSync(home).map((name) => [name, statSync(join(home, name)).mtimeMs]);
    const bare = world({ cwd: 'elsewhere' });
    const again = await bare.run('init', '--home', home, '--json');
    expect({ ...again, out: JSON.parse(again.out) as unknown }).toEqual({
      code: 0,
      err: '',
      out: { ...first, changed: false },
    });
    expect((await place.run('init', '--home', home)).out).toContain('did:web:acme.com is set up already');
    expect(readdirSync(home).filter((name) => name.endsWith('.json'))).toEqual(['config.json']);
    expect(before.find(([name]) => name === 'config.json')![1]).toBe(statSync(join(home, 'config.json')).mtimeMs);
  });

  test('what it set up is what passport create uses', async () => {
    const { init, place, home } = fresh();
    const { principal_public_key } = JSON.parse((await init(...FILE, '--json')).out) as {
      principal_public_key: string;
    };
    const out = join(place.cwd, 'p.json');
    const made = await place.run('passport', 'create', 'bot', '-a', 'deploy', '--home', home, '-o', out, '--json');
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({
      agent_id: 'did:web:acme.com:agents:bot',
      key_store: 'file',
      principal_public_key,
    });
  });

  test('adopts a principal that passport create made', async () => {
    const { init, place, home, read } = fresh();
    const out = join(place.cwd, 'p.json');
    const flags = ['--domain', 'acme.com', '--key-store', 'file', '--home', home, '-o', out];
    expect((await place.run('passport', 'create', 'bot', '-a', 'deploy', ...flags)).code).toBe(0);
    const { code, out: answer } = await init('--domain', 'acme.com', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(answer)).toMatchObject({ key_store: 'file', changed: true });
    expect(read()).toEqual({ key_store: 'file', domain: 'acme.com' });
  });

  test('keeps what else the config says, and takes the domain from it', async () => {
    const { init, config, place, home, read } = fresh();
    expect((await init(...FILE)).code).toBe(0);
    writeFileSync(config, JSON.stringify({ verify: { max_age: '60s' }, domain: 'other.org', key_store: 'file' }));
    const { code, out } = await init('--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ principal: 'did:web:other.org', changed: true });
    expect(read()).toEqual({ verify: { max_age: '60s' }, domain: 'other.org', key_store: 'file' });
    expect(openAt(join(home, 'state.db')).pins()).toHaveLength(2);
    expect((await place.run('config', 'list', '--home', home, '--json')).code).toBe(0);
  });

  test('says so when a variable or a project file wins over what it wrote', async () => {
    const { init, place } = fresh({ env: { AIP_KEY_STORE: 'env' } });
    place.file('.aiprc.json', '{"domain":"other.org"}');
    const digest = (await place.run('config', 'trust', '--print')).out.trim();
    Object.assign(place.io.env, { AIP_TRUST_CONFIG: digest });
    const { code, err } = await init(...FILE);
    expect(code).toBe(0);
    expect(err).toContain('AIP_KEY_STORE sets key_store to env, which wins');
    expect(err).toContain('.aiprc.json sets domain to other.org, which wins');
  });

  test('says so when the principal key stays where it was', async () => {
    const { init, place, home } = fresh();
    expect((await init(...FILE)).code).toBe(0);
    const { code, err, out } = await init('--domain', 'acme.com', '--key-store', 'keychain', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ key_store: 'file', changed: true });
    expect(JSON.parse(err)).toMatchObject({ warning: expect.stringContaining('stays in the file store') as unknown });
    expect((await place.run('config', 'list', '--home', home, '--json')).out).toContain('"key_store":"keychain"');
  });

  test.each([
    ['no domain', [], 2, '--domain <domain>'],
    ['no domain, and a terminal that may not be used', ['--yes'], 2, '--domain <domain>'],
    ['a domain that is none', ['--domain', 'https://acme.com'], 2, 'not a lower-case domain name'],
    ['a domain in capitals', ['--domain', 'Acme.com'], 2, 'not a lower-case domain name'],
    ['an empty domain', ['--domain', ''], 2, 'not a lower-case domain name'],
    ['a store that keeps no principal', ['--domain', 'acme.com', '--key-store', 'env'], 2, 'keychain, file'],
    ['a passphrase file that is not there', [...FILE, '--passphrase-file', '/nonexistent/p'], 3, '/nonexistent/p'],
    ['an argument', ['acme.com'], 2, ''],
  ])('%s: nothing is made', async (_what, flags, exit, words) => {
    const { init, home } = fresh({ tty: flags.includes('--yes') });
    const { code, out, err } = await init(...flags);
    expect({ code, out }).toEqual({ code: exit, out: '' });
    expect(err).toContain(words);
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    const keys = join(home, 'keys');
    expect(existsSync(keys) ? readdirSync(keys) : []).toEqual([]);
  });

  test('without a passphrase, and nobody to ask, nothing is made', async () => {
    for (const [options, flags] of [
      [{}, []],
      [{ tty: true }, ['--yes']],
      [{ tty: true }, ['--no-input']],
    ] as const) {
      const place = world(options);
      const home = join(place.io.userHome, 'home');
      const { code, err } = await place.run('init', '--home', home, ...FILE, ...flags);
      expect(code).toBe(2);
      expect(err).toContain('AIP_KEY_PASSPHRASE');
      expect(existsSync(join(home, 'config.json'))).toBe(false);
      expect(openAt(join(home, 'state.db')).pins()).toEqual([]);
    }
  });

  test('a principal whose key is elsewhere is not made a second time', async () => {
    const { init, home, config } = fresh();
    const publicKey = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
    const did = 'did:web:acme.com';
    openAt(join(home, 'state.db')).pin({ did, keyId: `${did}#key-1`, publicKey, pinnedAt: 0, source: 'added' });
    const { code, err } = await init(...FILE);
    expect(code).toBe(4);
    expect(err).toContain('is pinned here, but its private key is not on this machine');
    expect(existsSync(config)).toBe(false);
  });

  test("a user's config that is damaged is left alone", async () => {
    const { init, config, place } = fresh();
    place.file('../home/config.json', '{');
    const { code, err } = await init(...FILE);
    expect(code).toBe(2);
    expect(err).toContain('is not JSON');
    expect(readFileSync(config, 'utf8')).toBe('{');
  });
});

// What macOS and Windows have for a keychain cannot be taken away by a variable.
const noBus = process.platform === 'linux' ? null : 'the keychain of this system is always there';
if (noBus !== null) console.warn(`skipped, no keychain: ${noBus}`);
describe.skipIf(noBus !== null)('without a keychain', () => {
  test.each([
    ['nobody to ask', {}, []],
    ['--yes', { tty: true }, ['--yes']],
    ['the keychain named by flag', { tty: true }, ['--key-store', 'keychain']],
  ] as const)('%s: exit 4 naming the choices, and no silent fallback', async (_what, options, flags) => {
    const { init, home } = fresh(options);
    const { code, err } = await init('--domain', 'acme.com', ...flags);
    expect(code).toBe(4);
    expect(err).toContain('[KEYSTORE_MISSING]');
    expect(err.trimEnd().split('\n').at(-1)).toContain(`aip --home ${home} init --domain acme.com --key-store file`);
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    expect(openAt(join(home, 'state.db')).pins()).toEqual([]);
  });

  const pty = noPty();
  if (pty !== null) console.warn(`skipped, the questions at a terminal: ${pty}`);
  describe.skipIf(pty !== null)('at a terminal', () => {
    const dialogue = async (steps: readonly { readonly expect: string; readonly send: string }[]) => {
      const place: World = world();
      const file = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
      const home = join(place.io.userHome, 'home');
      const env = { PATH: process.env['PATH']!, HOME: place.io.userHome, TERM: 'xterm' };
      return { home, ...play({ argv: [process.execPath, file, 'init', '--home', home], env, cwd: place.cwd, steps }) };
    };
    test('it asks for the domain, for another store, and for a passphrase', async () => {
      const { code, missed, output, home } = await dialogue([
        { expect: 'Domain that answers', send: 'acme.com\r' },
        { expect: 'encrypted with a passphrase instead', send: '\r' },
        { expect: 'Passphrase for the new key', send: 'correct horse\r' },
        { expect: 'again', send: 'correct horse\r' },
      ]);
      expect({ code, missed }).toEqual({ code: 0, missed: [] });
      expect(output).toContain('set up');
      expect(output).not.toContain('correct horse');
      expect(JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))).toEqual({
        key_store: 'file',
        domain: 'acme.com',
      });
    });
    test('a no makes nothing', async () => {
      const { code, missed, home } = await dialogue([
        { expect: 'Domain that answers', send: 'acme.com\r' },
        { expect: 'encrypted with a passphrase instead', send: 'n\r' },
      ]);
      expect({ code, missed }).toEqual({ code: 4, missed: [] });
      expect(existsSync(join(home, 'config.json'))).toBe(false);
    });
    test('Ctrl-C makes nothing', async () => {
      const { code, home } = await dialogue([{ expect: 'Domain that answers', send: '\u0003' }]);
      expect(code).toBe(130);
      expect(existsSync(home)).toBe(false);
    });
  });
});
