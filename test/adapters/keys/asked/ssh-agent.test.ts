import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { askedKey } from '../../../../src/adapters/keys/asked/open.js';
import { sshString, SshWire } from '../../../../src/protocol/identity/ssh-wire.js';
import { falseAgent, sshAgent } from '../../../kit/servers/key-services.js';
import { scratch } from '../../../kit/scratch.js';

const MESSAGE = Buffer.from('what the agent intends');
const open = (address: string, socket: string, wanted: Uint8Array | null = null) =>
  askedKey({ env: { SSH_AUTH_SOCK: socket }, now: () => 0 }, address, wanted);

describe('the agent of OpenSSH', () => {
  test('signs by fingerprint and by comment, and nothing of the private key is in the answer', async ({ skip }) => {
    const agent = await sshAgent('did:web:acme.com#key-1');
    if (agent === null) return skip('OpenSSH is not installed');
    for (const name of [agent.fingerprint, 'did:web:acme.com#key-1']) {
      const key = await open(`ssh-agent:${name}`, agent.socket);
      expect(agent.publicKey).toContain(Buffer.from(sshBlob(key.publicKey)).toString('base64'));
      expect((await key.sign(MESSAGE)).length).toBe(64);
      // RFC 8032: the same message gives the same signature, whichever name asks.
      expect(await key.sign(MESSAGE)).toEqual(
        await (await open(`ssh-agent:${agent.fingerprint}`, agent.socket)).sign(MESSAGE),
      );
    }
  });

  test('another fingerprint, another kind of key and a locked agent are different failures', async ({ skip }) => {
    const agent = await sshAgent('bot');
    const ecdsa = await sshAgent('bot', 'ecdsa');
    if (agent === null || ecdsa === null) return skip('OpenSSH is not installed');
    await expect(open(`ssh-agent:SHA256:${'A'.repeat(43)}`, agent.socket)).rejects.toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: expect.stringContaining(agent.fingerprint) as string,
    });
    await expect(open('ssh-agent:bot', ecdsa.socket)).rejects.toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: expect.stringMatching(
        /bot in the ssh-agent is an ecdsa-sha2-nistp256 key; an ssh-ed25519 key/,
      ) as string,
    });
    await expect(open('ssh-agent:bot', agent.socket, new Uint8Array(32).fill(9))).rejects.toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: expect.stringContaining('is not the one') as string,
    });
    const key = await open('ssh-agent:bot', agent.socket);
    execFileSync('ssh-add', ['-D'], { env: { ...process.env, SSH_AUTH_SOCK: agent.socket }, stdio: 'ignore' });
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({ code: 'KEYSTORE_DENIED' });
  });

  test('an empty agent is told from none, and may be a locked one', async ({ skip }) => {
    const agent = await sshAgent('bot');
    if (agent === null) return skip('OpenSSH is not installed');
    // SSH_AGENTC_LOCK, with a passphrase: ssh-add -x wants a terminal.
    const lock = Buffer.concat([Buffer.from([22]), sshString(Buffer.from('pass'))]);
    const connection = connect(agent.socket).end(sshString(lock)).resume();
    await once(connection, 'close');
    await expect(open(`ssh-agent:${agent.fingerprint}`, agent.socket)).rejects.toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: expect.stringContaining(`${agent.fingerprint}: it holds no key at all, or is locked`) as string,
      hint: expect.stringContaining('ssh-add -X') as string,
    });
  });
});

test('no agent, and one that is gone', async () => {
  await expect(open('ssh-agent:bot', '')).rejects.toMatchObject({ code: 'KEYSTORE_MISSING' });
  await expect(open('ssh-agent:bot', `${scratch()}/none`)).rejects.toMatchObject({
    code: 'KEYSTORE_MISSING',
    message: expect.stringContaining('ENOENT') as string,
  });
});

describe('an agent that answers wrongly', () => {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const packet = (kind: number, ...parts: Uint8Array[]) => sshString(Buffer.concat([Buffer.from([kind]), ...parts]));
  const count = Buffer.from([0, 0, 0, 1]);
  const listed = packet(12, count, sshString(sshBlob(publicKey)), sshString(Buffer.from('bot')));
  /** Lists the one key, and signs as told. */
  const signing = (how: (message: Buffer) => Buffer) => (question: Buffer) => {
    const wire = new SshWire(question.subarray(5));
    if (question[4] === 11) return listed;
    wire.bytes();
    return packet(14, sshString(how(wire.bytes())));
  };
  const blob = (signature: Uint8Array, kind = 'ssh-ed25519') =>
    Buffer.concat([sshString(Buffer.from(kind)), sshString(signature)]);

  test('the stand-in is believed when it is honest', async () => {
    const socket = await falseAgent(signing((message) => blob(sign(null, message, pair.privateKey))));
    await expect((await open('ssh-agent:bot', socket)).sign(MESSAGE)).resolves.toHaveLength(64);
  });

  test.each<[string, (message: Buffer) => Buffer, string]>([
    ['another key', (message) => blob(sign(null, message, generateKeyPairSync('ed25519').privateKey)), 'does not hold'],
    ['DER', () => blob(Buffer.concat([Buffer.from([0x30, 0x44]), Buffer.alloc(68)])), 'DER'],
    [
      'another curve',
      (message) =>
        blob(
          sign('sha256', message, {
            key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
            dsaEncoding: 'ieee-p1363',
          }),
        ),
      'does not hold',
    ],
    ['another kind of key', (message) => blob(sign(null, message, pair.privateKey), 'ssh-rsa'), 'another kind'],
    ['63 bytes', (message) => blob(sign(null, message, pair.privateKey).subarray(1)), '63 bytes'],
    ['a string cut off', () => Buffer.from([0, 0, 1, 0, 1]), 'no answer'],
  ])('%s is named and not used', async (_, how, says) => {
    const key = await open('ssh-agent:bot', await falseAgent(signing(how)));
    await expect(key.sign(MESSAGE)).rejects.toMatchObject({
      code: 'KEYSTORE_DENIED',
      message: expect.stringContaining(says) as string,
    });
  });

  test.each<[string, Buffer]>([
    ['noise', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a list that says it is longer than it is', packet(12, Buffer.from([0, 0, 0, 9]))],
    ['a list of four thousand million keys', packet(12, Buffer.from([255, 255, 255, 255]))],
    ['a failure', packet(5)],
  ])('%s is no list', async (_, bytes) => {
    await expect(open('ssh-agent:bot', await falseAgent(() => bytes))).rejects.toMatchObject({
      code: 'KEYSTORE_DENIED',
    });
  });

  test('silence ends by itself', async () => {
    await expect(open('ssh-agent:bot', await falseAgent(() => null))).rejects.toMatchObject({
      code: 'KEYSTORE_TIMEOUT',
    });
  });
});

function sshBlob(publicKey: Uint8Array): Buffer {
  return Buffer.concat([sshString(Buffer.from('ssh-ed25519')), sshString(publicKey)]);
}
