import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AGENT, TestMesh } from '../kit/mesh/server.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const OPERATOR = `ed25519:${publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')}`;
const PATH = '/v1/mesh/commands';
const NONCE = '0123456789abcdef'.repeat(2);

interface Shape {
  readonly label?: string;
  readonly signatureLabel?: string;
  readonly components?: readonly string[];
  readonly params?: string;
}

/** A request signed as RFC 9421 says, written without the code under test. */
async function give(mesh: TestMesh, cmdId: string, shape: Shape = {}) {
  const { label = 'sig1', components = ['@method', '@path', 'content-digest'] } = shape;
  const body = JSON.stringify({ cmd_id: cmdId, action: 'revoke', agent_id: AGENT, reason: 'leak' });
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const created = Math.floor(mesh.clock.now / 1000);
  const list = `(${components.map((name) => `"${name}"`).join(' ')})`;
  const input = list + (shape.params ?? ';created=NOW;nonce="NONCE";keyid="ops"').replace('NOW', String(created));
  const filled = input.replace('NONCE', NONCE);
  const values: Record<string, string> = { '@method': 'POST', '@path': PATH, 'content-digest': digest };
  const lines = components.map((name) => `"${name}": ${values[name] ?? 'mesh.test'}`);
  const base = [...lines, `"@signature-params": ${filled}`].join('\n');
  const signature = signBytes(null, Buffer.from(base), privateKey).toString('base64');
  return mesh.ask('POST', PATH, 'operator', body, {
    'content-digest': digest,
    'signature-input': `${label}=${filled}`,
    signature: `${shape.signatureLabel ?? label}=:${signature}:`,
  });
}

const strict = () => TestMesh.start({ requireSignedCommands: true, operatorKey: OPERATOR });

describe('what RFC 9421 leaves to the signer', () => {
  test.each<[string, Shape]>([
    ['the label', { label: 'sig1' }],
    ['our own label', { label: 'aip' }],
    ['the order of what is covered', { components: ['content-digest', '@path', '@method'] }],
    [
      'the order of the parameters, and the algorithm',
      { params: ';keyid="k";alg="ed25519";nonce="NONCE";created=NOW' },
    ],
    ['no key id', { params: ';created=NOW;nonce="NONCE"' }],
    ['the key as its id', { params: `;created=NOW;nonce="NONCE";keyid="${OPERATOR}"` }],
    ['a nonce of 128 hex digits', { params: `;created=NOW;nonce="${'ab'.repeat(64)}"` }],
    ['a nonce in base64url', { params: ';created=NOW;nonce="q83vEjRWeJCrze8SNFZ4kA-_"' }],
    ['an expiry to come', { params: ';created=NOW;expires=4102444800;nonce="NONCE"' }],
  ])('%s', async (_, shape) => {
    const mesh = await strict();
    const answer = await give(mesh, 'command-1', shape);
    expect([answer.status, answer.json().status]).toEqual([200, 'revoked']);
  });
});

describe("an operator's key that was stopped", () => {
  test.each([
    ['revoked', 'revoke', {}],
    ['suspended', 'suspend', { duration_seconds: 60 }],
  ])('signs nothing any more while it is %s', async (_what, action, more) => {
    const mesh = await TestMesh.start({ operatorKey: OPERATOR });
    await mesh.command(action, { agent_id: OPERATOR, ...more });
    const answer = await give(mesh, 'command-1');
    expect([answer.status, answer.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'KEY_DENIED', details: { subject: OPERATOR } }),
    ]);
    expect(mesh.server.head.seq).toBe(1);
    mesh.clock.advance(61_000);
    expect((await give(mesh, 'command-2')).status).toBe(action === 'suspend' ? 200 : 403);
  });
});

describe('a signed command is refused and leaves no event', () => {
  test.each<[string, Shape, string]>([
    ['less is covered', { components: ['@method', 'content-digest'] }, 'SIGNATURE_INVALID'],
    ['more is covered', { components: ['@method', '@path', 'content-digest', '@authority'] }, 'SIGNATURE_INVALID'],
    ['one is covered twice', { components: ['@method', '@path', '@path'] }, 'SIGNATURE_INVALID'],
    ['the labels differ', { signatureLabel: 'sig2' }, 'SIGNATURE_INVALID'],
    ['the label is none', { label: 'Sig' }, 'SIGNATURE_INVALID'],
    ['no creation time', { params: ';nonce="NONCE"' }, 'SIGNATURE_INVALID'],
    ['two creation times', { params: ';created=NOW;created=1;nonce="NONCE"' }, 'SIGNATURE_INVALID'],
    ['no nonce', { params: ';created=NOW' }, 'SIGNATURE_INVALID'],
    ['a short nonce', { params: ';created=NOW;nonce="0123456789abcde"' }, 'SIGNATURE_INVALID'],
    ['another algorithm', { params: ';created=NOW;nonce="NONCE";alg="hmac-sha256"' }, 'SIGNATURE_INVALID'],
    ['an unknown parameter', { params: ';created=NOW;nonce="NONCE";tag="x"' }, 'SIGNATURE_INVALID'],
    ['white space', { params: '; created=NOW;nonce="NONCE"' }, 'SIGNATURE_INVALID'],
    ['parameters too long', { params: `;created=NOW;nonce="NONCE";keyid="${'k'.repeat(400)}"` }, 'SIGNATURE_INVALID'],
    [
      'the id of another key',
      { params: `;created=NOW;nonce="NONCE";keyid="ed25519:${'ab'.repeat(32)}"` },
      'SIGNATURE_INVALID',
    ],
    ['expired', { params: ';created=NOW;expires=1;nonce="NONCE"' }, 'COMMAND_EXPIRED'],
    ['too old', { params: ';created=1;nonce="NONCE"' }, 'COMMAND_EXPIRED'],
  ])('%s', async (_, shape, code) => {
    const mesh = await strict();
    const answer = await give(mesh, 'command-1', shape);
    expect(answer.json().code).toBe(code);
    expect(await mesh.store.read(0, 10)).toHaveLength(0);
  });

  test('its nonce came before, whatever else changed', async () => {
    const mesh = await strict();
    await give(mesh, 'command-1');
    expect((await give(mesh, 'command-2', { label: 'other' })).json().code).toBe('COMMAND_REPLAYED');
    expect(await mesh.store.read(0, 10)).toHaveLength(1);
  });
});

test('the description says how a command is signed', async () => {
  const { body } = await (await TestMesh.start()).ask('GET', '/openapi.json', null);
  expect(body).toContain('RFC 9421');
});

test.each(['00', '01', 'ff'])(
  'a public key that starts with %s, of small order or not canonical, is registered for nobody',
  async (first) => {
    const mesh = await TestMesh.start();
    const public_key = `ed25519:${first}${(first === 'ff' ? 'ff' : '00').repeat(31)}`;
    const answer = await mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'operator', public_key });
    expect([answer.status, answer.json().code]).toEqual([400, 'BAD_REQUEST']);
  },
);
