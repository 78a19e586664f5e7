/** A private key as people have it: PKCS#8 of both versions, SEC 1, OpenSSH, JWK or key text, with or without text around it. */
import { publicKeyOf } from '../../../protocol/ed25519/sign.js';
import { parseSeed } from '../../../protocol/identity/keys.js';
import { algorithmIn } from '../../../protocol/identity/public-key-forms.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { isObject } from '../../../protocol/json/values.js';
import { DerReader, TAG } from './der.js';
import { unreadableKey, wrongPassphrase, type PrivateKeyFile } from './key-file.js';
import { readOpenSsh } from './openssh.js';
import { readSealed, TooDear, type Sealed } from './pbes2.js';

/** Largest file that is looked at, in bytes: a key with a certificate chain beside it. */
export const MAX_KEY_FILE_BYTES = 64 * 1024;

const REENCRYPT = 'openssl pkcs8 -topk8 -v2 aes-256-cbc -in <file> -out <new file>';

const BLOCK = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----([\s\S]{1,60000}?)-----END \1-----/g;

/** The one private key in `text`. Fails with UNREADABLE, naming what was found and never quoting it. */
export function readPrivateKey(text: string): PrivateKeyFile {
  if (text.length > MAX_KEY_FILE_BYTES) throw unreadableKey(`It is larger than ${MAX_KEY_FILE_BYTES} bytes.`);
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length > 1) throw unreadableKey(`It holds ${blocks.length} private keys.`, 'keep one key in a file');
  if (blocks.length === 1) return inBlock(blocks[0]![1]!, blocks[0]![2]!);
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  const seed = parseSeed(trimmed);
  if (seed !== null) return { encrypted: false, seed };
  if (trimmed.startsWith('{')) return { encrypted: false, seed: inJwk(trimmed) };
  throw unreadableKey(
    `It holds no private key${otherwise(trimmed)}.`,
    'give PKCS#8, SEC 1, OpenSSH, a JWK, or ed25519:<64 hex>',
  );
}

/** What a text without a private key may be. */
function otherwise(text: string): string {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^PuTTY-User-Key-File/, ', but one of PuTTY: puttygen <file> -O private-openssh -o <new file>'],
    [/AGE-SECRET-KEY-/, ', but one of age, which is X25519'],
    [/-----BEGIN PGP /, ', but one of OpenPGP'],
    [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, ' that is whole: its block has no end'],
    [/-----BEGIN PUBLIC KEY-----|^ssh-|^ecdsa-/m, ', but a public one'],
    [/-----BEGIN CERTIFICATE-----/, ', but a certificate'],
    [/^(?:0x)?[0-9a-f]{64}$/i, ', but 64 hex digits: written ed25519:<64 hex> they are a seed'],
    [/^(?:ed25519:)?(?:[0-9a-f]{128}|[\w+/-]{86}(?:==)?)$/i, ', but 64 bytes: the first 32 of them may be the seed'],
  ];
  if (text === '') return ': it is empty';
  return known.find(([pattern]) => pattern.test(text))?.[1] ?? '';
}

function inBlock(label: string, body: string): PrivateKeyFile {
  if (/^Proc-Type:/m.test(body))
    throw unreadableKey('It is encrypted in the old way of OpenSSL (Proc-Type).', REENCRYPT);
  // A variable of a CI system has its line ends as two characters each, or none.
  const digits = body.replace(/\s+|\\[rn]/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(digits)) throw unreadableKey('Its block is not base64.');
  const der = Buffer.from(digits, 'base64');
  switch (label) {
    case 'PRIVATE KEY':
      return { encrypted: false, seed: pkcs8(der) ?? other(der) };
    case 'ENCRYPTED PRIVATE KEY':
      return { encrypted: true, open: opener(sealedIn(der)) };
    case 'EC PRIVATE KEY':
      return { encrypted: false, seed: sec1(der) ?? other(der) };
    case 'OPENSSH PRIVATE KEY':
      return readOpenSsh(der);
    default:
      throw unreadableKey(
        `It holds ${/^[AEIOR]/.test(label) ? 'an' : 'a'} ${label.toLowerCase().replace('rsa', 'RSA').replace('dsa', 'DSA')}, not an Ed25519 one.`,
      );
  }
}

function sealedIn(der: Uint8Array): Sealed {
  try {
    return readSealed(der);
  } catch (error) {
    if (error instanceof TooDear) throw unreadableKey(error.message, `with the default cost: ${REENCRYPT}`);
    throw unreadableKey('It is encrypted in another way than PBES2 with PBKDF2 or scrypt, or is damaged.', REENCRYPT);
  }
}

function opener(sealed: Sealed): (passphrase: Uint8Array) => Uint8Array {
  return (passphrase) => {
    const der = sealed(passphrase);
    // Under a wrong passphrase the padding is right once in 256 times: only a key of another kind is told apart from noise.
    if (der === null || der[0] !== 0x30) throw wrongPassphrase();
    try {
      return pkcs8(der) ?? other(der);
    } finally {
      der.fill(0);
    }
  };
}

const ED25519 = '2b6570';

/** RFC 5958, versions 1 and 2; null when it is a key of another kind or damaged. */
function pkcs8(der: Uint8Array): Uint8Array | null {
  return guarded(() => {
    const outer = new DerReader(der);
    const key = outer.enter();
    outer.end();
    const version = key.takeInteger();
    const algorithm = key.enter();
    if (version > 1 || Buffer.from(algorithm.take(TAG.oid)).toString('hex') !== ED25519) return null;
    algorithm.end();
    const inner = new DerReader(key.take(TAG.octets));
    const seed = Uint8Array.from(inner.take(TAG.octets));
    inner.end();
    if (key.next(0xa0)) key.take(0xa0);
    const half = key.next(0x81) ? key.take(0x81) : null;
    key.end();
    if (seed.length !== 32) return null;
    if (half !== null && !Buffer.from(half.subarray(1)).equals(publicKeyOf(seed)))
      throw unreadableKey('Its public half does not belong to its private half.');
    return seed;
  });
}

/** RFC 5915, with the curve's identifier of RFC 8410 in place of a Weierstrass curve. */
function sec1(der: Uint8Array): Uint8Array | null {
  return guarded(() => {
    const outer = new DerReader(der);
    const key = outer.enter();
    outer.end();
    if (key.takeInteger() !== 1) return null;
    const scalar = key.take(TAG.octets);
    const curve = new DerReader(key.take(0xa0));
    if (Buffer.from(curve.take(TAG.oid)).toString('hex') !== ED25519) return null;
    if (scalar.length === 32) return Uint8Array.from(scalar);
    const seed = new DerReader(scalar).take(TAG.octets);
    return seed.length === 32 ? Uint8Array.from(seed) : null;
  });
}

function guarded(read: () => Uint8Array | null): Uint8Array | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function other(der: Uint8Array): never {
  const kind = algorithmIn(der);
  throw unreadableKey(
    kind === null
      ? 'It does not hold a whole Ed25519 private key.'
      : `It holds ${kind} private key, not an Ed25519 one.`,
  );
}

function inJwk(text: string): Uint8Array {
  let json;
  try {
    json = parseJsonText(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw unreadableKey('It is JSON that does not parse.');
  }
  const { kty, crv, d, x } = isObject(json) ? json : {};
  if (kty === undefined) throw unreadableKey('It is JSON, and no JWK.');
  if (kty !== 'OKP' || crv !== 'Ed25519') throw unreadableKey('It is a JWK of another kind than Ed25519.');
  if (d === undefined) throw unreadableKey('It is a public JWK: the private half, "d", is not in it.');
  const seed = typeof d === 'string' && !d.startsWith('ed25519:') ? parseSeed(d) : null;
  if (seed === null) throw unreadableKey('It is a damaged JWK.');
  if (x !== undefined && x !== Buffer.from(publicKeyOf(seed)).toString('base64url'))
    throw unreadableKey('Its public half does not belong to its private half.');
  return seed;
}
