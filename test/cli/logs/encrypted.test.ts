import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { household, type Household } from '../../kit/native/household.js';

/** A machine with a log of three entries, and a recipient of each kind. */
async function archived() {
  const home = household();
  await home.run(
    ...['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'refund', '--monetary-limit', '100'],
    ...['--key-store', 'file', '--out', home.at('bot.json')],
  );
  for (const amount of [1, 2, 300]) {
    const signed = await home.run(
      'intent',
      'sign',
      '-p',
      'bot',
      '-a',
      'refund',
      '--param',
      `amount:=${amount}`,
      '--param',
      'note=jane-4711',
    );
    await home.run('intent', 'verify', home.file('intent.json', signed.out));
  }
  const age = await generateX25519Identity();
  const identity = home.file('identity.txt', `# made for a test\n${age}\n`);
  const recipient = await identityToRecipient(age);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', home.at('id_ed25519')]);
  const ssh = readFileSync(home.at('id_ed25519.pub'), 'utf8').trim();
  return { home, identity, recipient, ssh, sshIdentity: home.at('id_ed25519') };
}

const verify = (home: Household, file: string, ...argv: string[]) =>
  home.run('logs', 'verify', '--file', file, ...argv);

describe('an export that is encrypted', () => {
  test('is opened by each of its recipients, and no one else', async () => {
    const { home, identity, recipient, ssh, sshIdentity } = await archived();
    const file = home.at('log.jsonl.age');
    const made = await home.run('logs', 'export', '--encrypt', recipient, '--encrypt', ssh, '--out', file);
    expect(made.code, made.err).toBe(0);
    expect(readFileSync(file).subarray(0, 22).toString()).toBe('age-encryption.org/v1\n');
    expect(readFileSync(file).includes('jane-4711')).toBe(false);
    for (const key of [identity, sshIdentity]) {
      const { code, out, err } = await verify(home, file, '--identity', key);
      expect([code, err, out]).toMatchObject([0, '', expect.stringContaining('3 entries is whole')]);
    }
    const stranger = home.file('other.txt', await generateX25519Identity());
    expect((await verify(home, file, '--identity', stranger)).code).toBe(3);
    const without = await verify(home, file);
    expect([without.code, without.err]).toMatchObject([2, expect.stringContaining('--identity')]);
  });

  test('is opened by a key that can be read once, as <(...) gives it', async () => {
    const { home, ssh, sshIdentity } = await archived();
    const file = home.at('log.age');
    await home.run('logs', 'export', '--encrypt', ssh, '--out', file);
    const pipe = home.at('pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', sshIdentity, pipe]);
    const { code, err } = await verify(home, file, '--identity', pipe);
    writer.kill();
    expect([code, err]).toEqual([0, '']);
  });

  test('is given up where a stranger made its list of recipients without end', async () => {
    const { home, identity } = await archived();
    const stanza = `-> X ${'A'.repeat(40)}\n\n`;
    const file = home.file('log.age', `age-encryption.org/v1\n${stanza.repeat(30_000)}`);
    const { code, err } = await verify(home, file, '--identity', identity);
    expect([code, err]).toEqual([3, expect.stringContaining('more recipients')]);
  });

  test('changed at any of some bytes, or cut, is not read', async () => {
    const { home, identity, recipient } = await archived();
    const file = home.at('log.age');
    await home.run('logs', 'export', '--encrypt', recipient, '--out', file);
    const whole = readFileSync(file);
    for (const at of [30, 120, 200, whole.length - 400, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      writeFileSync(file, changed);
      expect((await verify(home, file, '--identity', identity)).code, `byte ${at}`).toBe(3);
    }
    writeFileSync(file, whole.subarray(0, whole.length - 20));
    expect((await verify(home, file, '--identity', identity)).code).toBe(3);
  });

  test('an export in plain text is read with or without an identity', async () => {
    const { home, identity } = await archived();
    const file = home.file('log.jsonl', (await home.run('logs', 'export')).out);
    expect((await verify(home, file, '--identity', identity)).code).toBe(0);
    expect((await verify(home, file)).code).toBe(0);
  });

  // The last one by its checksum.
  const mistyped = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q';
  test.each(['age1', 'ssh-rsa AAAA', 'ssh-ed25519 AAAA', 'AGE-SECRET-KEY-1ABC', '', mistyped])(
    '%s is no recipient',
    async (text) => {
      const { home } = await archived();
      const { code, err } = await home.run('logs', 'export', '--encrypt', text, '--out', home.at('x.age'));
      expect([code, err]).toEqual([2, expect.stringContaining('is no recipient')]);
      expect(err).not.toContain('AGE-SECRET');
    },
  );

  test('agrees with age itself, in both directions', async (context) => {
    if (spawnSync('age', ['--version']).status !== 0) {
      // With AIP_TEST_AGE=1 a machine without it fails.
      expect(process.env['AIP_TEST_AGE']).not.toBe('1');
      context.skip('age is not installed');
    }
    const { home, identity, recipient, ssh, sshIdentity } = await archived();
    for (const [to, key] of [
      [recipient, identity],
      [ssh, sshIdentity],
    ] as const) {
      const file = home.at('log.age');
      expect((await home.run('logs', 'export', '--encrypt', to, '--out', file)).code).toBe(0);
      const plain = execFileSync('age', ['-d', '-i', key, file], { encoding: 'utf8' });
      expect(plain.trim().split('\n').length).toBe(3);
      const theirs = execFileSync('age', ['-r', to], { input: plain });
      writeFileSync(file, theirs);
      expect((await verify(home, file, '--identity', key)).code).toBe(0);
    }
  });
});
