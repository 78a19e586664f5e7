import { spawnSync } from 'node:child_process';
import { chmodSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { formatPublicKey, formatSeed } from '../../../src/protocol/identity/keys.js';
import { bundle } from '../../kit/bundle.js';
import { world, type World } from '../../kit/world.js';

interface Vectors {
  readonly private: {
    readonly accepted: readonly {
      readonly name: string;
      readonly text: string;
      readonly public_key: string;
      readonly passphrase: string | null;
    }[];
    readonly refused: readonly { readonly name: string; readonly text: string; readonly what: string }[];
  };
  readonly public: {
    readonly key: string;
    readonly accepted: readonly { readonly name: string; readonly text: string }[];
    readonly named: readonly { readonly name: string; readonly text: string; readonly what: string }[];
  };
}
const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../vectors/keys.json', import.meta.url)), 'utf8'),
) as Vectors;
const ID = 'did:web:acme.com#key-1';
const PRINCIPAL = 'did:web:acme.com';

function machine(env: Record<string, string> = {}): World {
  return world({ env: { AIP_KEY_PASSPHRASE: 'pass word', ...env } });
}

function secretFile(w: World, text: string): string {
  const file = w.file('given.key', text);
  chmodSync(file, 0o600);
  return file;
}

const into = ['--id', ID, '--key-store', 'file'];

describe('aip key import', () => {
  test.each(vectors.private.accepted)('takes $name', async ({ text, public_key }) => {
    const w = machine();
    const { code, out, err } = await w.run('key', 'import', secretFile(w, text), ...into, '--json');
    expect([code, err.replace(/^.*weak.*\n/, '')]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ key_id: ID, public_key, key_store: 'file', pinned: true, changed: true });
  });

  test.each(vectors.private.refused)('says of $name what it is', async ({ text, what }) => {
    const w = machine();
    const { code, out, err } = await w.run('key', 'import', secretFile(w, text), ...into);
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain(what);
    expect((await w.run('key', 'list', '--json')).out).toBe('[]\n');
  });

  test('says of key text that it may be a public key, which nothing here knows', async () => {
    const w = machine();
    const [seed, half] = [7, 8].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array];
    const said = async (text: string, id: string) => {
      const { code, err } = await w.run('key', 'import', secretFile(w, text), '--id', id, '--key-store', 'file');
      expect(code).toBe(0);
      return err.includes('may be a public key');
    };
    expect(await said(formatSeed(seed), ID)).toBe(false);
    expect(await said(`${formatPublicKey(publicKeyOf(half))}\n`, 'did:web:other.com#key-1')).toBe(true);
  });

  test('refuses the public half of a key that is known here', async () => {
    const w = machine();
    expect((await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into)).code).toBe(0);
    const { out } = await w.run('key', 'export', PRINCIPAL, '--public');
    const given = [
      'key',
      'import',
      secretFile(w, out),
      '--id',
      'did:web:acme.com#key-2',
      '--key-store',
      'file',
      '--yes',
    ];
    const { code, err } = await w.run(...given);
    expect([code, err]).toEqual([2, expect.stringContaining(`the public key of ${ID}, not its private half`)]);
    expect(JSON.parse((await w.run('key', 'list', '--json')).out)).toHaveLength(1);
  });

  test.each([
    ['DER', 'but DER', 'openssl pkey -inform DER', (pem: string) => Buffer.from(pem.split('\n')[1]!, 'base64')],
    ['UTF-16', 'but UTF-16', 'iconv', (pem: string) => Buffer.from(`\uFEFF${pem}`, 'utf16le')],
  ])('says how a key in %s is made readable', async (_, found, hint, bytesOf) => {
    const w = machine();
    const file = secretFile(w, '');
    writeFileSync(file, bytesOf(vectors.private.accepted.find(({ name }) => name === 'PKCS#8')!.text));
    const { code, err } = await w.run('key', 'import', file, ...into);
    expect([code, err]).toEqual([3, expect.stringContaining(found)]);
    expect(err).toContain(`hint: ${hint}`);
  });

  test('takes stdin, and once only', async () => {
    const { text, public_key } = vectors.private.accepted[0]!;
    const w = machine();
    const file = secretFile(w, text);
    expect((await w.run('key', 'import', file, ...into)).code).toBe(0);
    const again = await w.run('key', 'import', file, '--key-store', 'file', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ key_id: ID, public_key, changed: false });
  });

  test('makes the key one that signs passports here', async () => {
    const w = machine();
    await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into);
    const made = await w.run(
      'passport',
      'create',
      'bot',
      '--domain',
      'acme.com',
      '-a',
      'deploy',
      '--key-store',
      'file',
      '--json',
    );
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ principal_public_key: vectors.public.key });
  });

  test('wants to know whose key it is, and asks before a principal gets a second one', async () => {
    const w = machine();
    const file = secretFile(w, vectors.private.accepted[0]!.text);
    const unnamed = await w.run('key', 'import', file, '--key-store', 'file');
    expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining('--id')]);
    for (const id of ['acme.com', 'did:web:acme.com', 'did:key:z6Mk#key-1'])
      expect((await w.run('key', 'import', file, '--id', id, '--key-store', 'file')).code).toBe(2);
    const stranger = `ed25519:${'0d'.repeat(32)}`;
    expect((await w.run('principal', 'add', PRINCIPAL, '--public-key', vectors.public.accepted[4]!.text)).code).toBe(0);
    const other = secretFile(w, stranger);
    expect((await w.run('key', 'import', other, '--id', `${PRINCIPAL}#key-1`, '--key-store', 'file')).code).toBe(2);
    const second = await w.run('key', 'import', other, '--id', `${PRINCIPAL}#key-2`, '--key-store', 'file');
    expect([second.code, second.err]).toEqual([2, expect.stringContaining('second_pin')]);
    expect(
      (await w.run('key', 'import', other, '--id', `${PRINCIPAL}#key-2`, '--key-store', 'file', '--yes')).code,
    ).toBe(0);
  });

  test('opens the file with one passphrase and keeps the key under another', async () => {
    const encrypted = vectors.private.accepted.find(({ passphrase }) => passphrase === 'pass word')!;
    const w = machine({ AIP_KEY_PASSPHRASE: 'correct horse battery' });
    const file = secretFile(w, encrypted.text);
    const wrong = await w.run('key', 'import', file, ...into);
    expect([wrong.code, wrong.err]).toEqual([4, expect.stringContaining('--from-passphrase-file')]);
    const from = ['--from-passphrase-file', w.file('old.pass', 'pass word\n')];
    const { code, out, err } = await w.run('key', 'import', file, ...into, ...from, '--json');
    expect([code, err]).toEqual([0, '']);
    const { key_ref } = JSON.parse(out) as { key_ref: string };
    // What is kept here opens with the passphrase of the keys here alone.
    const back = machine({ AIP_KEY_PASSPHRASE: 'pass word' });
    expect((await back.run('key', 'import', key_ref, ...into)).code).toBe(4);
    const fd = openSync(back.file('new.pass', 'correct horse battery'), 'r');
    expect(await back.run('key', 'import', key_ref, ...into, '--from-passphrase-fd', String(fd))).toMatchObject({
      code: 0,
    });
  });

  test('keeps a principal out of the environment', async () => {
    const w = machine();
    const file = secretFile(w, vectors.private.accepted[0]!.text);
    expect((await w.run('key', 'import', file, '--id', ID, '-e', join(w.cwd, '.env'))).code).toBe(2);
  });
});

describe('aip key list, show, export', () => {
  test('name the key, its place and its public half, and never the private one', async () => {
    const w = machine();
    await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into);
    const list = await w.run('key', 'list', '--all', '--json');
    expect(JSON.parse(list.out)).toEqual([
      {
        key_id: ID,
        of: 'principal',
        public_key: vectors.public.key,
        key_store: 'file',
        key_ref: expect.stringMatching(/\.pem$/) as string,
        created_at: '2026-02-18T14:23:45Z',
      },
    ]);
    const shown = await w.run('key', 'show', PRINCIPAL, '--json');
    const { forms } = JSON.parse(shown.out) as { forms: Record<string, string> };
    for (const text of Object.values(forms)) {
      const found = await w.run('key', 'show', '--json', '--', text);
      expect(JSON.parse(found.out)).toMatchObject({ key_id: ID, public_key: vectors.public.key });
    }
    for (const form of ['text', 'pem', 'ssh', 'jwk', 'multikey', 'did-key']) {
      const path = join(w.cwd, `public.${form}`);
      const { code, out } = await w.run('key', 'export', ID, '--public', '--format', form, '--out', path);
      expect([code, out]).toEqual([0, '']);
      const again = ['key', 'export', ID, '--public', '--format', form, '--out', path];
      expect([(await w.run(...again)).code, (await w.run(...again, '--force')).code]).toEqual([2, 0]);
      const added = await w.run('principal', 'add', 'did:web:other.com', '--public-key', path, '--json');
      expect(JSON.parse(added.out)).toMatchObject([{ public_key: vectors.public.key }]);
    }
    expect((await w.run('key', 'export', ID)).code).toBe(2);
    expect((await w.run('key', 'show', 'nobody')).code).toBe(3);
    expect((await w.run('key', 'list')).out).toContain(ID);
    expect((await w.run('key', 'show', ID)).out).toContain('BEGIN PUBLIC KEY');
  });
});

describe('a public key in any form', () => {
  test.each(vectors.public.accepted)('$name, as text and as a file of any name', async ({ text }) => {
    for (const name of [null, 'key.txt', 'some file', '-']) {
      const w = world({ stdin: text });
      const given = name === null ? text : name === '-' ? name : w.file(name, text);
      const { code, out, err } = await w.run('principal', 'add', PRINCIPAL, '--public-key', given, '--json');
      expect([name, code, err]).toEqual([name, 0, '']);
      expect(JSON.parse(out)).toMatchObject([{ public_key: vectors.public.key }]);
    }
  });

  test.each(vectors.public.named)('$name is named, and exit 2', async ({ text, what }) => {
    const w = world();
    const { code, err } = await w.run('principal', 'add', PRINCIPAL, '--public-key', w.file('key', text));
    expect([code, err]).toEqual([2, expect.stringContaining(what)]);
  });

  test('counts in config and in AIP_MESH_PUBLIC_KEY', async () => {
    for (const { text } of vectors.public.accepted) {
      const w = world({ env: { AIP_MESH_PUBLIC_KEY: text } });
      const config = w.file('config.json', JSON.stringify({ principals: { [PRINCIPAL]: text } }));
      const { code, err } = await w.run('config', 'list', '--config', config);
      expect([code, err]).toEqual([0, '']);
    }
  });
});

describe('--passphrase-fd', () => {
  test('reads the passphrase from an open descriptor, and says when it is not open', async () => {
    const program = await bundle(fileURLToPath(new URL('../../kit/program.ts', import.meta.url)));
    const w = world();
    const file = secretFile(w, vectors.private.accepted[0]!.text);
    const run = (redirect: string) =>
      spawnSync(
        'sh',
        [
          '-c',
          `node "$0" key import "$1" --id ${ID} --key-store file --passphrase-fd 3 --home "$2" --json ${redirect}`,
          program,
          file,
          join(w.cwd, 'home'),
          w.file('pass', 'through a descriptor\n'),
        ],
        { encoding: 'utf8', env: { PATH: process.env.PATH } },
      );
    const closed = run('3<&-');
    expect([closed.status, closed.stderr]).toEqual([3, expect.stringContaining('descriptor 3: it is not open')]);
    expect(closed.stderr).toContain('--passphrase-fd 3');
    const made = run('3<"$3"');
    expect([made.status, made.stderr]).toEqual([0, '']);
    const { key_ref } = JSON.parse(made.stdout) as { key_ref: string };
    const back = world({ env: { AIP_KEY_PASSPHRASE: 'through a descriptor' } });
    expect((await back.run('key', 'import', key_ref, ...into)).code).toBe(0);
  });
});

describe('a passphrase that is easily guessed', () => {
  test.each(['x', 'password1', 'short one', 'aaaaaaaaaaaaaaaa'])(
    '%j is warned of, and a strong one is suggested',
    async (weak) => {
      const w = machine({ AIP_KEY_PASSPHRASE: weak });
      const { code, err } = await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into);
      expect(code).toBe(0);
      expect(err).toMatch(/The passphrase is weak: .*: [2-9a-z]{5}(-[2-9a-z]{5}){3}/);
    },
  );
  test('a long one is not', async () => {
    const w = machine({ AIP_KEY_PASSPHRASE: 'correct horse battery staple' });
    const { err } = await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into);
    expect(err).not.toContain('weak');
  });
  test.each([
    ['--quiet', /^warning: The passphrase is weak: /m],
    ['--json', /^{"warning":"The passphrase is weak: [^"]*","code":null}$/m],
  ])('with %s it is a warning as well', async (flag, words) => {
    const w = machine({ AIP_KEY_PASSPHRASE: 'x' });
    const { err } = await w.run('key', 'import', secretFile(w, vectors.private.accepted[0]!.text), ...into, flag);
    expect(err).toMatch(words);
  });
});
