/** A secret in the wrong place of a command line: no error, hint or warning repeats it. What is public stays readable. */
import { expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { reportError } from '../../../src/cli/render/errors.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { maskError, maskName, maskText } from '../../../src/protocol/log/secret-text.js';
import { settled } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';

const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const BASE64 = `${Buffer.from(SEED, 'hex').toString('base64')}`;
const API_KEY = `aipm_admin_0123456789ab_${SEED}`;
const PEM = `-----BEGIN PRIVATE KEY-----\n${BASE64}\n-----END PRIVATE KEY-----`;
const AGE = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
const AGENT_LINE = `AGENT_PRIVATE_KEY=ed25519:${SEED}`;

/** Where a file or a private key is expected, ed25519:<hex> and base64 are a seed. */
const WHERE_A_FILE_IS_EXPECTED = [
  ['key', 'import', '@'],
  ['intent', 'verify', '@'],
  ['intent', 'verify', '@', '--ndjson'],
  ['intent', 'verify', 'x.json', '--hmac-key-file', '@'],
  ['intent', 'verify', 'x.json', '--hmac-key', 'did:web:acme.com:agents:bot=@'],
  ['intent', 'sign', 'x.json', '--passphrase-file', '@'],
  ['passport', 'verify', '@'],
  ['passport', 'import', '@'],
  ['passport', 'show', '@'],
  ['health', '@'],
  ['policy', 'test', '@'],
  ['config', 'list', '--config', '@'],
  ['explain', '@'],
  ['@'],
];
const WHERE_A_NAME_IS_EXPECTED = [
  ['status', '@'],
  ['revoke', '@', '--yes'],
  ['suspend', '@', '--for', '1h'],
  ['reinstate', '@'],
  ['key', 'show', '@'],
  ['key', 'export', '@'],
  ['passport', 'delete', '@'],
  ['principal', 'remove', '@'],
  ['mesh', 'key', 'revoke', '@'],
  ['mesh', 'join', '@'],
  ['mesh', 'join', 'https://mesh.acme.invalid', '--@'],
  ['status', '--@'],
  ['--@'],
  ['intent', '@'],
  ['status', 'bot', '@'],
];
const SHAPES = { SEED, API_KEY, PEM, AGE, AGENT_LINE };
const SHAPES_OF_FILES = { ...SHAPES, KEY_TEXT: `ed25519:${SEED}`, BASE64 };

const lines = [
  ...WHERE_A_FILE_IS_EXPECTED.flatMap((words) => Object.keys(SHAPES_OF_FILES).map((shape) => ({ words, shape }))),
  ...WHERE_A_NAME_IS_EXPECTED.flatMap((words) => Object.keys(SHAPES).map((shape) => ({ words, shape }))),
];

test.each(['', '--json', '--verbose'])('is not repeated (%s)', async (flags) => {
  const machine = await settled();
  for (const { words, shape } of lines) {
    const secret = SHAPES_OF_FILES[shape as keyof typeof SHAPES_OF_FILES];
    const argv = words.map((word) => word.replace('@', () => secret));
    const { code, out, err } = await machine.run(...argv, ...flags.split(' ').filter((flag) => flag !== ''));
    const line = `aip ${words.join(' ')}, ${shape}: ${out}${err}`;
    expect.soft(code, line).not.toBe(0);
    // Nor a part that was cut off.
    for (const part of [SEED.slice(0, 16), BASE64.slice(0, 20), AGE.slice(0, 24)])
      expect.soft(`${out}${err}`.toLowerCase(), line).not.toContain(part.toLowerCase());
  }
});

test('nor in the stack that --debug prints, whatever its causes quote', () => {
  const cause = Object.assign(new Error(`ENOENT: no such file, open 'ed25519:${SEED}'`), { code: 'ENOENT' });
  const { io, err } = world();
  for (const error of [new Failure('NOT_FOUND', 'gone', { cause }), cause])
    reportError(error, io, { json: false, debug: true, paint: plain });
  expect(err()).toContain('ENOENT');
  expect(err()).not.toContain(SEED.slice(0, 16));
});

test('in a file that is no config is not repeated', async () => {
  const machine = await settled();
  const file = machine.file('c.json', JSON.stringify({ verify: { dialects: [API_KEY] } }));
  const { err } = await machine.run('intent', 'verify', 'x.json', '--config', file);
  expect(err).not.toContain(SEED);
});

test('a public key, a hash, the name of an API key and a path stay readable', async () => {
  const said = [
    `The principal did:web:acme.com has no key ed25519:${PUBLIC}.`,
    `The passport is sha256:${SEED} and not sha256:${PUBLIC}.`,
    'The key aipm_verifier_0123456789ab may not revoke; it looks like aipm_<role>_<id>_<secret>',
    'The passphrase: give --passphrase-file <file> or set AIP_KEY_PASSPHRASE, password=..., token: none',
    'AGENT_PRIVATE_KEY=ed25519:<64 hex digits>',
    `request ${SEED.slice(0, 32)} at https://mesh.acme.com/v1/events?since=5`,
    `The key file /run/keys/agent.pem cannot be read; ls -ld '/home/a b/.aip/keys/did_web_acme.com#key-1.pem'`,
  ];
  for (const text of said) expect(maskError(text)).toBe(text);
  for (const path of ['agent.pem', '/run/secrets/aip-key', './keys/did%3Aweb%3Aacme.com.pem', 'support-agent-v1'])
    expect(maskName(path)).toBe(path);
  const machine = await settled();
  expect((await machine.run('key', 'show', `ed25519:${PUBLIC}`)).err).toContain(`ed25519:${PUBLIC}`);
  expect((await machine.run('key', 'import', 'agent.pem')).err).toContain('agent.pem cannot be read');
});

test('logs keep of an API key what is no secret', () => {
  expect(maskText(`used ${API_KEY}`)).toBe('used aipm_admin_0123456789ab_[masked]');
  expect(maskText('aipm_admin_0123456789ab')).toBe('aipm_admin_0123456789ab');
});
