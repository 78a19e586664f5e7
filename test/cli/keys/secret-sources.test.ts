/** Kind D of the faults found in the field: the same bytes mean the same secret, whatever brings them. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readHmacKey } from '../../../src/adapters/keys/hmac-key.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { formatPublicKey, formatSeed } from '../../../src/protocol/identity/keys.js';
import { household } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';
import { expectFailure } from '../../contract/key-store.js';

/** Makes the agent that signs. */
const CREATE = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'deploy'] as const;

interface Around {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}
const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../vectors/secrets.json', import.meta.url)), 'utf8'),
) as Readonly<Record<'accepted' | 'refused' | 'quoted' | 'envFiles', readonly Around[]>>;

const SEED = new Uint8Array(32).fill(0x5a);
const KEY = formatSeed(SEED);
const PUBLIC = formatPublicKey(publicKeyOf(SEED));
const ID = 'did:web:acme.com:agents:bot#key-1';
const PASS = 'correct horse battery staple';

/** Puts the key into an encrypted file of the world, under the passphrase as given. */
const importing = async (
  env: Record<string, string>,
  flags: readonly string[],
  prepare?: (w: ReturnType<typeof world>) => void,
) => {
  const w = world({ env });
  const file = w.file('key.txt', `${KEY}\n`);
  chmodSync(file, 0o600);
  prepare?.(w);
  return { w, ...(await w.run('key', 'import', file, '--id', ID, '--key-store', 'file', '--json', ...flags)) };
};

/** Whether what was stored opens with the plain passphrase. */
async function opensWith(w: ReturnType<typeof world>, ref: string): Promise<boolean> {
  const back = world({ env: { AIP_KEY_PASSPHRASE: PASS } });
  const { code } = await back.run('key', 'import', ref, '--id', ID, '--key-store', 'file');
  void w;
  return code === 0;
}

describe('a passphrase', () => {
  describe.each(['variable', 'file', 'mounted file'] as const)('in a %s', (source) => {
    const given = (text: string) =>
      source === 'variable'
        ? importing({ AIP_KEY_PASSPHRASE: text }, [])
        : importing({ AIP_SECRETS_DIR: 'mount' }, ['--passphrase-file', 'PASS'], undefined);
    const run = async (text: string) => {
      if (source === 'variable') return given(text);
      const w = world({ env: {} });
      const key = w.file('key.txt', KEY);
      chmodSync(key, 0o600);
      const pass = w.file('mount/pass', text);
      chmodSync(pass, source === 'file' ? 0o600 : 0o444);
      const env = source === 'file' ? {} : { AIP_SECRETS_DIR: join(w.cwd, 'mount') };
      Object.assign(w.io.env, env);
      const flags = ['--id', ID, '--key-store', 'file', '--passphrase-file', pass, '--json'];
      return { w, ...(await w.run('key', 'import', key, ...flags)) };
    };

    test.each(vectors.accepted)('is the same with $name', async ({ before, after }) => {
      const { w, code, out, err } = await run(`${before}${PASS}${after}`);
      expect([code, err]).toEqual([0, '']);
      expect(await opensWith(w, (JSON.parse(out) as { key_ref: string }).key_ref)).toBe(true);
    });
    test.each(vectors.refused)('is another one with $name', async ({ before, after }) => {
      const { w, code, out } = await run(`${before}${PASS}${after}`);
      expect(code).toBe(0);
      expect(await opensWith(w, (JSON.parse(out) as { key_ref: string }).key_ref)).toBe(false);
    });
    test.each(vectors.quoted)('is refused with $name, by their name', async ({ before, after, name }) => {
      const { code, err } = await run(`${before}${PASS}${after}`);
      expect(code).toBe(2);
      expect(err).toContain(name.split(' and ')[0]);
      expect(err).not.toContain(PASS);
    });
  });
});

describe('AGENT_PRIVATE_KEY', () => {
  const signing = async (text: string, fromFile: boolean) => {
    const machine = household({ env: fromFile ? {} : { AGENT_PRIVATE_KEY: text } });
    const seedFile = machine.file('.env', fromFile ? text : `AGENT_PRIVATE_KEY=${KEY}\n`);
    chmodSync(seedFile, 0o600);
    const passport = machine.file('request.json', '{"action":"deploy","params":{}}');
    return { machine, seedFile, passport };
  };

  test.each(vectors.accepted)('in the environment is the same with $name', async ({ before, after }) => {
    const { machine } = await signing(`${before}${KEY}${after}`, false);
    // The store says what it holds by refusing a passport for another key.
    const made = await machine.run(...CREATE, '--key-store', 'file');
    expect(made.code, made.err).toBe(0);
    const { err } = await machine.run('intent', 'sign', '-p', 'bot', '-a', 'deploy', '--key-store', 'env');
    expect(err).toContain(PUBLIC);
  });

  test.each([...vectors.refused, ...vectors.quoted])(
    'is refused with $name, and not quoted',
    async ({ before, after }) => {
      const { machine } = await signing(`${before}${KEY}${after}`, false);
      await machine.run('passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'deploy', '--key-store', 'file');
      const { code, err } = await machine.run('intent', 'sign', '-p', 'bot', '-a', 'deploy', '--key-store', 'env');
      expect([2, 3]).toContain(code);
      expect(err).not.toContain('5a5a5a');
    },
  );

  test.each(vectors.envFiles)('in a file is found beside $name, and never added twice', async ({ before, after }) => {
    const { machine, seedFile } = await signing(`${before}AGENT_PRIVATE_KEY=${KEY}\n${after}`, true);
    const text = readFileSync(seedFile, 'utf8');
    const made = await machine.run(...CREATE, '-e', seedFile, '--key-store', 'env');
    expect([made.code, made.err]).toEqual([2, expect.stringContaining('already holds')]);
    expect(readFileSync(seedFile, 'utf8')).toBe(text);
  });

  test('inside the quotes of another variable is said, and never added twice', async () => {
    const { machine, seedFile } = await signing(`NOTE="a\nAGENT_PRIVATE_KEY=${KEY}\nb"\n`, true);
    const made = await machine.run(...CREATE, '-e', seedFile, '--key-store', 'env');
    expect([made.code, made.err]).toEqual([2, expect.stringContaining('on line 2')]);
  });
});

describe('a file of secrets', () => {
  const modes = [0o644, 0o640, 0o604, 0o660, 0o666, 0o444];
  test.each(modes)('of mode %o is refused everywhere alike, with the command that mends it', async (mode) => {
    const w = world({ env: { AIP_KEY_PASSPHRASE: PASS } });
    const file = w.file('secret', `${KEY}\n`);
    chmodSync(file, mode);
    const hmac = await expectFailure(readHmacKey(file, w.io.env), 'KEYSTORE_DENIED');
    expect(hmac.hint).toBe(`chmod 600 ${file}`);
    for (const argv of [
      ['key', 'import', file, '--id', ID, '--key-store', 'file'],
      ['key', 'import', file, '--id', ID, '--key-store', 'file', '--passphrase-file', file],
      ['mesh', 'join', 'http://127.0.0.1:9', '--mesh-key', PUBLIC, '--key-file', file],
    ]) {
      const { code, err } = await w.run(...argv);
      expect([argv[0], code, err]).toEqual([argv[0], 4, expect.stringContaining(`chmod 600 ${file}`)]);
    }
  });

  test('is read where a container mounts it, through the links of Kubernetes, and not through one that leaves the mount', async () => {
    const w = world({ env: { AIP_KEY_PASSPHRASE: PASS } });
    const mount = join(w.cwd, 'secrets');
    mkdirSync(join(mount, '..2026_11_28'), { recursive: true });
    writeFileSync(join(mount, '..2026_11_28', 'key'), KEY, { mode: 0o644 });
    symlinkSync('..2026_11_28', join(mount, '..data'));
    symlinkSync('..data/key', join(mount, 'key'));
    const outside = w.file('outside', KEY);
    chmodSync(outside, 0o644);
    symlinkSync(outside, join(mount, 'stray'));
    Object.assign(w.io.env, { AIP_SECRETS_DIR: mount });
    const importKey = (name: string) => w.run('key', 'import', join(mount, name), '--id', ID, '--key-store', 'file');
    expect((await importKey('stray')).code).toBe(4);
    const made = await importKey('key');
    expect([made.code, made.err]).toEqual([0, expect.anything()]);
  });
});
