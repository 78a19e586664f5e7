/** Ed25519ph is told from a wrong key by the example of RFC 8032, section 7.3. */
import { expect, test } from 'vitest';
import { checked } from '../../../../src/adapters/keys/asked/checked.js';
import { isPrehashed, publicKeyOf, signMessage } from '../../../../src/protocol/ed25519/sign.js';

const SEED = Buffer.from('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42', 'hex');
const SIGNATURE = Buffer.from(
  '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
    '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  'hex',
);
const MESSAGE = Buffer.from('abc');
const publicKey = publicKeyOf(SEED);

test('the example holds as Ed25519ph, and a pure signature does not', () => {
  expect(isPrehashed(publicKey, MESSAGE, SIGNATURE)).toBe(true);
  expect(isPrehashed(publicKey, Buffer.from('abd'), SIGNATURE)).toBe(false);
  expect(isPrehashed(publicKey, MESSAGE, signMessage(SEED, MESSAGE))).toBe(false);
});

test('a key that signs so is refused by that name', async () => {
  const key = checked('cmd:hsm', { publicKey, sign: () => Promise.resolve(SIGNATURE) });
  await expect(key.sign(MESSAGE)).rejects.toMatchObject({ message: expect.stringContaining('Ed25519ph') as string });
  const pure = checked('cmd:hsm', { publicKey, sign: (message) => Promise.resolve(signMessage(SEED, message)) });
  await expect(pure.sign(MESSAGE)).resolves.toHaveLength(64);
});

test('a key of small order is no key', () => {
  const weak = new Uint8Array(32);
  weak[0] = 1;
  expect(() => checked('cmd:hsm', { publicKey: weak, sign: () => Promise.resolve(SIGNATURE) })).toThrow('public key');
});
