/** A person with nothing but a key in an ssh-agent: passport, intent, approval, order; and no private key of theirs in a file of ours. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { falseAgent, falseService, sshAgent } from '../../kit/servers/key-services.js';
import { world } from '../../kit/world.js';

const SEND = ['-a', 'send_email', '--param', 'to=a@acme.com'] as const;

describe('with an ssh-agent', () => {
  async function person(comment = 'me@laptop') {
    const agent = await sshAgent(comment);
    if (agent === null) return null;
    const here = world({ env: { SSH_AUTH_SOCK: agent.socket } });
    const json = async (...argv: string[]) => {
      const { code, out, err } = await here.run(...argv, '--json');
      expect({ code, err }).toMatchObject({ code: 0 });
      return JSON.parse(out) as Record<string, unknown>;
    };
    return { agent, here, json, key: `ssh-agent:${agent.fingerprint}` };
  }

  test('principal and agent live there: passport, intent, rotation of the terms, approval', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, key } = me;
    const setUp = await json('init', '--domain', 'acme.com', '--key', 'ssh-agent:me@laptop');
    expect(setUp).toMatchObject({
      key_store: 'ssh-agent',
      key_ref: 'ssh-agent:me@laptop',
    });
    // It was asked for one key, and no store was named: config and check-up speak of no keychain that is missing.
    expect(JSON.parse(readFileSync(String(setUp['config']), 'utf8'))).toEqual({ domain: 'acme.com' });
    const checks = JSON.parse((await here.run('doctor', '--json')).out) as { check: string }[];
    expect(checks.find(({ check }) => check === 'key store')).toMatchObject({ status: 'ok' });
    expect(await here.run('init', '--domain', 'acme.com', '--key', 'ssh-agent:another')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is at ssh-agent:me@laptop already') as string,
    });
    const made = await json('passport', 'create', 'bot', ...SEND.slice(0, 2), '--key', key);
    expect(made).toMatchObject({ key_store: 'ssh-agent', key_ref: key });
    // One key for both is said to be none for the agent to be held to.
    expect(await here.run('passport', 'lint', 'bot')).toMatchObject({
      code: 15,
      out: expect.stringContaining('self_signed') as string,
    });
    for (const dialect of ['native', 'aip-1']) {
      const { out } = await here.run('intent', 'sign', '-p', 'bot', ...SEND, '--dialect', dialect);
      expect(await json('intent', 'verify', here.file('i.json', out))).toMatchObject({ success: true });
    }
    expect(await json('passport', 'update', 'bot', '--rate-limit', '10/hour', '--yes')).toMatchObject({ serial: 2 });
    const rotated = await here.run('passport', 'rotate', 'bot', '--yes');
    expect(rotated).toMatchObject({ code: 2, err: expect.stringContaining('name it with --key') as string });
    // Its own key under another name would be no rotation.
    const same = await here.run('passport', 'rotate', 'bot', '--yes', '--key', 'ssh-agent:me@laptop');
    expect(same).toMatchObject({ code: 2, err: expect.stringContaining('a rotation takes a new key') as string });
    expect(await json('passport', 'show', 'bot')).toMatchObject({ serial: 2 });
    const { code, out } = await here.run('passport', 'delete', 'bot', '--yes');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.not.stringContaining('destroyed') as string });
    // The key in the agent is the person's, not ours to delete.
    expect(await json('passport', 'create', 'bot', ...SEND.slice(0, 2), '--key', key, '--force')).toMatchObject({
      key_store: 'ssh-agent',
    });
    for (const file of filesOf(here.io.userHome))
      expect(readFileSync(file, 'latin1')).not.toMatch(/PRIVATE KEY-----|AGENT_PRIVATE_KEY=ed/);
  });

  test('a command that exec runs can ask it, too: that is said, and --strict refuses', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, key } = me;
    await json('init', '--domain', 'acme.com', '--key', key);
    await json('passport', 'create', 'bot', '-a', 'deploy', '--key', key);
    const exec = (...flags: string[]) => here.run('exec', '-p', 'bot', '-a', 'deploy', ...flags, '--', 'true');
    const { code, err } = await exec();
    expect(code).toBe(0);
    expect(err).toContain(`is asked at ${key}`);
    expect(err).toContain('[principal_key_here]');
    expect(await exec('--strict')).toMatchObject({
      code: 2,
      err: expect.stringContaining('principal_key_here') as string,
    });
    expect((await here.run('doctor')).out.replace(/\s+/g, ' ')).toContain(`is asked at ${key}`);
  });

  test('a principal is taken up by import, with its pin, and lists where it lives', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { json, key, here } = me;
    const imported = await json('key', 'import', '--key', key, '--id', 'did:web:acme.com#key-1');
    expect(imported).toMatchObject({ key_store: 'ssh-agent', pinned: true });
    const listed = await here.run('key', 'list');
    expect(listed.out).toContain('ssh-agent');
    expect((await here.run('key', 'import')).code).toBe(2);
    expect((await here.run('key', 'import', 'x.pem', '--key', key)).code).toBe(2);
  });

  test('another key in the agent under the same name is refused, by what it is', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, agent } = me;
    await json('init', '--domain', 'acme.com', '--key', 'ssh-agent:me@laptop');
    await json('passport', 'create', 'bot', ...SEND.slice(0, 2), '--key', 'ssh-agent:me@laptop');
    const env = { ...process.env, SSH_AUTH_SOCK: agent.socket };
    execFileSync('ssh-add', ['-q', '-D'], { env, stdio: 'ignore' });
    const gone = await here.run('intent', 'sign', '-p', 'bot', ...SEND);
    expect(gone).toMatchObject({ code: 4, err: expect.stringContaining('no Ed25519 key me@laptop') as string });
    const file = join(agent.folder, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me@laptop', '-f', file]);
    execFileSync('ssh-add', ['-q', file], { env, stdio: 'ignore' });
    const other = await here.run('intent', 'sign', '-p', 'bot', ...SEND);
    expect(other).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringContaining('is not the one that is asked for') as string,
    });
  });

  test('whose key is elsewhere than remembered is asked there with --key, and import remembers the new place', async ({
    skip,
  }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, agent } = me;
    await json('init', '--domain', 'acme.com', '--key', 'ssh-agent:me@laptop');
    await json('passport', 'create', 'bot', ...SEND.slice(0, 2), '--key', 'ssh-agent:me@laptop');
    const request = here.file(
      'r.json',
      (
        await here.run(
          'passport',
          'request',
          'asker',
          ...SEND.slice(0, 2),
          '--domain',
          'acme.com',
          '--key',
          'ssh-agent:me@laptop',
          '-o',
          '-',
        )
      ).out,
    );
    const intent = here.file('i.json', (await here.run('intent', 'sign', '-p', 'bot', ...SEND)).out);
    // The same key under another name, and none under the one that is remembered.
    const address = `cmd:${join(import.meta.dirname, 'nowhere')}`;
    const renamed = ['--key', me.key];
    forgetPlace(here, 'ssh-agent:gone@laptop');
    const commands: [string, ...string[]][] = [
      ['passport', 'update', 'bot', '--rate-limit', '10/hour', '--yes'],
      ['passport', 'renew', 'bot', '--yes'],
      ['passport', 'sign', request, '--yes'],
      ['approve', intent, '--yes'],
    ];
    for (const command of commands) {
      expect(await here.run(...command)).toMatchObject({
        code: 4,
        err: expect.stringContaining('gone@laptop') as string,
      });
      expect(await here.run(...command, '--key', address)).toMatchObject({ code: 4 });
      expect(await here.run(...command, ...renamed)).toMatchObject({ code: 0 });
    }
    expect(agent.fingerprint).toBe(me.key.slice('ssh-agent:'.length));
    const imported = await json('key', 'import', ...renamed, '--id', 'did:web:acme.com#key-1');
    expect(imported).toMatchObject({ key_ref: me.key, changed: true });
    expect(await json('key', 'import', ...renamed, '--id', 'did:web:acme.com#key-1')).toMatchObject({ changed: false });
    expect(await here.run('passport', 'renew', 'bot', '--yes')).toMatchObject({ code: 0 });
  });

  test('an approver whose key is elsewhere than remembered answers with --key', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, key } = me;
    await json('init', '--domain', 'acme.com', '--key', key);
    const raw = Buffer.from(me.agent.publicKey.split(' ')[1]!, 'base64').subarray(-32);
    const bob = { id: 'did:web:bob.com', public_key: `ed25519:${raw.toString('hex')}` };
    const approvers = JSON.stringify({ approvers: [bob] });
    for (const [name, constraint] of [
      ['by-principal', 'require_approval:=true'],
      ['by-bob', `require_approval:=${approvers}`],
    ] as const) {
      await json('passport', 'create', name, ...SEND.slice(0, 2), '--key', key, '--constraint', constraint);
      const intent = here.file('i.json', (await here.run('intent', 'sign', '-p', name, ...SEND)).out);
      const { out } = await here.run('intent', 'verify', intent, '--json');
      const { details } = JSON.parse(out) as { details: { request_id: string } };
      const answer = ['approvals', 'approve', details.request_id, '--yes'];
      forgetPlace(here, 'ssh-agent:gone@laptop');
      expect(await here.run(...answer)).toMatchObject({ code: 4 });
      expect(await here.run(...answer, '--key', key, '--key-file', 'k.pem')).toMatchObject({ code: 2 });
      expect(await here.run(...answer, '--key', key)).toMatchObject({ code: 0 });
      forgetPlace(here, key);
    }
  });

  test('a request is not used up by a key that does not sign it', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, json, agent } = me;
    const key = ['--key', 'ssh-agent:me@laptop'];
    await json('init', '--domain', 'acme.com', ...key);
    await json('passport', 'request', 'bot', ...SEND.slice(0, 2), ...key, '-o', join(here.cwd, 'r.json'));
    const sign = () => here.run('passport', 'sign', join(here.cwd, 'r.json'), '--yes');
    Object.assign(here.io.env, { SSH_AUTH_SOCK: await silentAgent(agent.publicKey) });
    expect(await sign()).toMatchObject({ code: 4, err: refused });
    Object.assign(here.io.env, { SSH_AUTH_SOCK: agent.socket });
    expect(await sign()).toMatchObject({ code: 0 });
    expect(await sign()).toMatchObject({ code: 2 });
  });

  test('a key that is listed and does not sign leaves nothing behind', async ({ skip }) => {
    const me = await person();
    if (me === null) return skip('OpenSSH is not installed');
    const { here, agent } = me;
    const socket = await silentAgent(agent.publicKey);
    Object.assign(here.io.env, { SSH_AUTH_SOCK: socket, AIP_KEY_PASSPHRASE: 'correct horse battery staple' });
    const domain = ['--domain', 'acme.com'];
    const key = ['--key', 'ssh-agent:me@laptop'];
    expect(await here.run('init', ...domain, ...key)).toMatchObject({ code: 4, err: refused });
    expect(await here.run('key', 'import', ...key, '--id', 'did:web:acme.com#key-1')).toMatchObject({
      code: 4,
      err: refused,
    });
    const create = ['passport', 'create', 'bot', ...SEND.slice(0, 2), ...domain, ...key];
    expect(await here.run(...create, '--principal-key-store', 'file')).toMatchObject({ code: 4, err: refused });
    expect(JSON.parse((await here.run('key', 'list', '--json')).out)).toEqual([]);
    expect(JSON.parse((await here.run('principal', 'list', '--json')).out)).toEqual([]);
    expect(
      filesOf(here.io.userHome).filter(
        (file) => /PRIVATE|passport/.test(readFileSync(file, 'latin1')) && !/\.db|log/.test(file),
      ),
    ).toEqual([]);
  });
});

describe('what is refused', () => {
  test.each<[readonly string[], number, string]>([
    [['--key', 'nonsense'], 2, 'ssh-agent:SHA256'],
    [['--key', 'ssh-agent:x', '--key-store', 'file'], 2, 'two places'],
    [['--key', 'ssh-agent:x', '--key-command', 'echo'], 2, 'two places'],
    [['--key', 'ssh-agent:x'], 4, 'SSH_AUTH_SOCK'],
    [['--key', 'hashivault://bot'], 4, 'VAULT_ADDR'],
    [['--key', 'awskms:///alias/bot'], 2, 'region'],
    [['--key', 'cmd:/nowhere/hsm'], 4, 'ENOENT'],
    [['--key-command', 'echo ed25519:00'], 3, 'The output of the key command: It holds no private key'],
    [['--key-command', 'exit 3'], 4, 'ended with 3'],
    [['--key-command', `echo ed25519:${'07'.repeat(32)}`], 4, 'the passport says'],
  ])('intent sign %j', async (argv, code, says) => {
    const { here } = await signer();
    const refused = await here.run('intent', 'sign', '-p', 'bot', ...SEND, ...argv);
    expect(refused).toMatchObject({ code, out: '', err: expect.stringContaining(says) as string });
    expect(refused.err).not.toContain('07'.repeat(32));
  });

  test('a config file may name a place, and no program', async () => {
    const here = world();
    const trusted = (store: string) =>
      here.run('config', 'list', '--json', '--config', here.file('c.json', JSON.stringify({ key_store: store })));
    expect((await trusted('ssh-agent:me')).code).toBe(0);
    expect(await trusted('cmd:touch pwned')).toMatchObject({
      code: 2,
      err: expect.stringContaining('key_store') as string,
    });
  });

  test('an agent and a Vault that never answer end by themselves, and say which', async () => {
    const { here } = await signer({
      SSH_AUTH_SOCK: await falseAgent(() => null),
      VAULT_ADDR: await falseService(() => undefined),
      VAULT_TOKEN: 't',
    });
    const agent = await here.run('intent', 'sign', '-p', 'bot', ...SEND, '--key', 'ssh-agent:x');
    expect(agent).toMatchObject({ code: 4, err: expect.stringContaining('The ssh-agent did not answer') as string });
    const vault = await here.run('intent', 'sign', '-p', 'bot', ...SEND, '--key', 'hashivault://x');
    expect(vault).toMatchObject({ code: 4, err: expect.stringContaining('Vault did not answer') as string });
  });
});

describe('a program that is pointed at another key', () => {
  /** A program that signs with the seed that a file holds now. */
  function program(here: ReturnType<typeof world>) {
    const seed = join(here.cwd, 'seed');
    const path = join(here.cwd, 'hsm');
    const body = `const c = require('node:crypto'); const seed = require('node:fs').readFileSync(${JSON.stringify(seed)}, 'utf8');
const key = c.createPrivateKey({ key: Buffer.from('302e020100300506032b657004220420' + seed, 'hex'), format: 'der', type: 'pkcs8' });
let text = ''; process.stdin.on('data', (d) => (text += d)).on('end', () => { const ask = JSON.parse(text); console.log(JSON.stringify(ask.op === 'sign'
  ? { signature: c.sign(null, Buffer.from(ask.message, 'base64'), key).toString('hex') }
  : { public_key: 'ed25519:' + c.createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12).toString('hex') })); });`;
    writeFileSync(path, `#!${process.execPath}\n${body}\n`, { mode: 0o755 });
    const point = (byte: string) => writeFileSync(seed, byte.repeat(32));
    point('a1');
    return { address: `cmd:${path}`, point };
  }

  test('signs no intent, passport, approval or pin with it', async () => {
    const here = world();
    const { address, point } = program(here);
    const key = ['--key', address] as const;
    expect(await here.run('init', '--domain', 'acme.com', ...key)).toMatchObject({ code: 0 });
    point('b1');
    expect(await here.run('passport', 'create', 'bot', ...SEND.slice(0, 2), ...key)).toMatchObject({ code: 4 });
    point('a1');
    const made = await here.run('passport', 'create', 'bot', ...SEND.slice(0, 2), ...key, '--json');
    const { passport } = JSON.parse(made.out) as { passport: string };
    const before = readFileSync(join(here.cwd, passport), 'utf8');
    expect((await here.run('intent', 'sign', '-p', 'bot', ...SEND)).code).toBe(0);
    point('c1');
    for (const argv of [
      ['intent', 'sign', '-p', 'bot', ...SEND],
      ['intent', 'sign', '-p', 'bot', ...SEND, ...key],
      ['exec', '-p', 'bot', ...SEND, '--', 'true'],
      ['passport', 'update', 'bot', '--rate-limit', '10/hour', '--yes'],
      ['passport', 'renew', 'bot', '--expires', '9d', '--yes'],
      ['passport', 'rotate', 'bot', ...key, '--yes'],
    ]) {
      const refused = await here.run(...argv);
      expect({ argv, ...refused }).toMatchObject({
        code: 4,
        out: '',
        err: expect.stringContaining('not ed25519:') as string,
      });
    }
    expect(readFileSync(join(here.cwd, passport), 'utf8')).toBe(before);
    const imported = await here.run('key', 'import', ...key, '--id', 'did:web:acme.com:agents:bot#key-2');
    expect(imported).toMatchObject({ code: 0 });
    // An id that belongs to one key is not said to be held already for another.
    copyFileSync(join(here.cwd, 'hsm'), join(here.cwd, 'hsm-2'));
    writeFileSync(
      join(here.cwd, 'hsm-2'),
      readFileSync(join(here.cwd, 'hsm'), 'utf8').replace("'utf8')", "'utf8').replace(/c1/g, 'e1')"),
    );
    const other = await here.run('key', 'import', '--key', `${address}-2`, '--id', 'did:web:acme.com:agents:bot#key-2');
    expect(other).toMatchObject({ code: 2, out: '', err: expect.stringContaining('holds another key') as string });
  });
});

test('a secret that a manager prints signs once, and is in no file of ours', async () => {
  const { here, secret } = await signer();
  const { code, out } = await here.run('intent', 'sign', '-p', 'bot', ...SEND, '--key-command', `echo '${secret}'`);
  expect(code).toBe(0);
  expect((await here.run('intent', 'verify', here.file('i.json', out))).code).toBe(0);
  const files = filesOf(here.io.userHome);
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) expect(readFileSync(file, 'latin1')).not.toContain(secret.slice(8));
});

test('a key command gets no secret that opens other keys', async () => {
  const { here, secret } = await signer({ AIP_MESH_KEY: 'x', AGENT_PRIVATE_KEY: `ed25519:${'07'.repeat(32)}` });
  const command = `env >'${join(here.cwd, 'seen')}'; echo '${secret}'`;
  expect((await here.run('intent', 'sign', '-p', 'bot', ...SEND, '--key-command', command)).code).toBe(0);
  const seen = readFileSync(join(here.cwd, 'seen'), 'utf8');
  expect(seen).toContain('PATH=');
  expect(seen).not.toMatch(/AIP_KEY_PASSPHRASE|AIP_MESH_KEY|AGENT_PRIVATE_KEY/);
});

/** A world that knows an agent `bot`, whose private key is nowhere in it any more. */
async function signer(env: Readonly<Record<string, string>> = {}) {
  const here = world({
    env: { AIP_KEY_PASSPHRASE: 'correct horse battery staple', PATH: process.env['PATH']!, ...env },
  });
  const file = join(here.cwd, 'bot.env');
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'send_email', '-e', file];
  expect(await here.run(...create, '--principal-key-store', 'file')).toMatchObject({ code: 0 });
  const secret = /ed25519:[0-9a-f]{64}/.exec(readFileSync(file, 'utf8'))![0];
  rmSync(file);
  return { here, secret };
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

const refused = expect.stringContaining('The ssh-agent refused') as string;

/** An agent that lists a key, and refuses to sign with it. */
async function silentAgent(publicKey: string): Promise<string> {
  const listed = Buffer.from(publicKey.split(' ')[1]!, 'base64');
  const number = (n: number) => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n]);
  const string = (bytes: Buffer) => Buffer.concat([number(bytes.length), bytes]);
  const list = [Buffer.from([12]), number(1), string(listed), string(Buffer.from('me@laptop'))];
  return falseAgent((question) => string(question[4] === 11 ? Buffer.concat(list) : Buffer.from([5])));
}

/** As if the place of every key had been given another name since. */
function forgetPlace(here: ReturnType<typeof world>, address: string): void {
  const file = filesOf(here.io.userHome).find((path) => path.endsWith('state.db'))!;
  const database = new Database(file, 1000);
  try {
    database.statement('UPDATE keys SET ref = ?').run([address]);
  } finally {
    database.close();
  }
}
