/** A key in a PKCS#11 token, asked by the program that `aip help keys` prints. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askedKey } from '../../../../src/adapters/keys/asked/open.js';
import { text } from '../../../../src/cli/help/topics/keys.js';
import { hasProgram } from '../../../kit/servers/key-services.js';
import { scratch } from '../../../kit/scratch.js';
import { world } from '../../../kit/world.js';

const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so'].find((path) => existsSync(path));
const here = MODULE !== undefined && hasProgram('pkcs11-tool') && hasProgram('softhsm2-util');
if (!here && process.env['AIP_TEST_SOFTHSM'] !== undefined) throw new Error('SoftHSM or pkcs11-tool is not installed');

describe.skipIf(!here)('SoftHSM by pkcs11-tool', () => {
  /** A token with a key of Ed25519 and one of P-256, and the program. */
  function token() {
    const folder = scratch();
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(join(folder, 'softhsm.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`);
    const env = {
      ...{ PATH: process.env['PATH']!, HOME: folder, SOFTHSM2_CONF: join(folder, 'softhsm.conf') },
      ...{ HSM_MODULE: MODULE!, HSM_TOKEN: 'aip', HSM_PIN: '1234' },
    };
    const run = (program: string, ...argv: string[]) => execFileSync(program, argv, { env, stdio: 'ignore' });
    run('softhsm2-util', '--init-token', '--free', '--label', 'aip', '--pin', '1234', '--so-pin', '1234');
    const make = [
      '--module',
      MODULE!,
      '--token-label',
      'aip',
      '--login',
      '--pin',
      '1234',
      '--keypairgen',
      '--key-type',
    ];
    run('pkcs11-tool', ...make, 'EC:edwards25519', '--label', 'bot', '--id', '01');
    run('pkcs11-tool', ...make, 'EC:prime256v1', '--label', 'curve', '--id', '02');
    const program = join(folder, 'hsm');
    writeFileSync(program, /^ *(#!\/bin\/sh[\s\S]*?\n *esac)$/m.exec(text())![1]!.replaceAll('\n  ', '\n'));
    chmodSync(program, 0o755);
    const open = (id: string, more = {}) =>
      askedKey({ env: { ...env, ...more }, now: Date.now }, `cmd:${program} ${id}`, null);
    return { env, program, open };
  }

  test('makes passport and intent, which verify', async () => {
    const { env, program } = token();
    const { run, file } = world({ env });
    const key = ['--key', `cmd:${program} 01`];
    expect(await run('init', '--domain', 'acme.com', ...key)).toMatchObject({ code: 0 });
    expect(await run('passport', 'create', 'bot', '-a', 'send_email', ...key)).toMatchObject({ code: 0 });
    const { out } = await run('intent', 'sign', '-p', 'bot', '-a', 'send_email');
    expect(await run('intent', 'verify', file('i.json', out))).toMatchObject({ code: 0 });
  });

  test.each([
    ['another curve', '02', {}],
    ['no such key', '03', {}],
    ['another token', '01', { HSM_TOKEN: 'none' }],
  ])('%s is refused', async (_, id, more) => {
    await expect(token().open(id, more)).rejects.toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: expect.stringContaining('no Ed25519 public key') as string,
    });
  });

  test('a wrong PIN is refused where it signs', async () => {
    const key = await token().open('01', { HSM_PIN: '9999' });
    await expect(key.sign(Buffer.from('x'))).rejects.toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: expect.stringContaining('HSM_PIN right') as string,
    });
  });
});
