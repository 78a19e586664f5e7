/** PBES2 (RFC 8018) as OpenSSL writes it: PBKDF2 or scrypt, then AES-CBC or triple DES. Bounded before any work is done. */
import { createDecipheriv, pbkdf2Sync, scryptSync } from 'node:crypto';
import { DerReader, TAG } from './der.js';

/** A file asking for more is refused: it could otherwise hold the command up for hours. */
const MAX_PBKDF2_ROUNDS = 4_000_000;
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;
const MAX_SCRYPT_PARALLEL = 16;
/** Of scrypt's r, usually 8: what it costs beside the memory stays small with it. */
const MAX_SCRYPT_BLOCK = 1024;

/** An encrypted key whose parameters are known and affordable; gives the plain bytes, or null under another passphrase. */
export type Sealed = (passphrase: Uint8Array) => Buffer | null;

/** A key that is well formed and asks for more work than is done; the message is a sentence for people. */
export class TooDear extends Error {}

const PBES2 = '2a864886f70d01050d';
const PBKDF2 = '2a864886f70d01050c';
const SCRYPT = '2b06010401da47040b';
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d0207': 'sha1',
  '2a864886f70d0208': 'sha224',
  '2a864886f70d0209': 'sha256',
  '2a864886f70d020a': 'sha384',
  '2a864886f70d020b': 'sha512',
};
interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}
const CIPHERS: Readonly<Record<string, Cipher>> = {
  '608648016503040102': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '608648016503040116': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  '60864801650304012a': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '2a864886f70d0307': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

/** Reads an EncryptedPrivateKeyInfo. Throws RangeError for a form that is not supported, and TooDear. */
export function readSealed(der: Uint8Array): Sealed {
  const outer = new DerReader(der);
  const info = outer.enter();
  outer.end();
  const algorithm = info.enter();
  const sealed = info.take(TAG.octets);
  info.end();
  if (oidOf(algorithm) !== PBES2) throw new RangeError('another scheme');
  const scheme = algorithm.enter();
  const derive = keyDerivation(scheme.enter());
  const encryption = scheme.enter();
  const cipher = CIPHERS[oidOf(encryption)];
  const iv = encryption.take(TAG.octets);
  if (cipher === undefined || iv.length !== cipher.ivBytes) throw new RangeError('another cipher');
  return (passphrase) => {
    const key = derive(passphrase, cipher.keyBytes);
    try {
      const decipher = createDecipheriv(cipher.name, key, iv);
      return Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      return null;
    } finally {
      key.fill(0);
    }
  };
}

type Derivation = (passphrase: Uint8Array, bytes: number) => Buffer;

function keyDerivation(kdf: DerReader): Derivation {
  const name = oidOf(kdf);
  const params = kdf.enter();
  const salt = params.take(TAG.octets);
  if (name === PBKDF2) {
    const rounds = params.takeInteger();
    if (params.next(TAG.integer)) params.takeInteger();
    const hash = params.ended ? 'sha1' : HASHES[oidOf(params.enter())];
    if (hash === undefined) throw new RangeError('another hash');
    if (rounds < 1 || rounds > MAX_PBKDF2_ROUNDS)
      throw new TooDear(`It asks for ${rounds} PBKDF2 rounds; at most ${MAX_PBKDF2_ROUNDS} are done.`);
    return (passphrase, bytes) => pbkdf2Sync(passphrase, salt, rounds, bytes, hash);
  }
  if (name !== SCRYPT) throw new RangeError('another derivation');
  const [cost, blockSize, parallelization] = [params.takeInteger(), params.takeInteger(), params.takeInteger()];
  const isPower = cost > 1 && (cost & (cost - 1)) === 0;
  // RFC 7914, section 2: N is below 2^(128 r / 8).
  if (!isPower || blockSize < 1 || blockSize > MAX_SCRYPT_BLOCK || parallelization < 1 || cost >= 2 ** (16 * blockSize))
    throw new RangeError('no scrypt');
  const memory = 128 * cost * blockSize;
  if (memory > MAX_SCRYPT_BYTES || parallelization > MAX_SCRYPT_PARALLEL)
    throw new TooDear(
      `It asks for ${Math.ceil(memory / 2 ** 20)} MiB of scrypt, ${parallelization} times; at most ${MAX_SCRYPT_BYTES / 2 ** 20} MiB, ${MAX_SCRYPT_PARALLEL} times, are spent.`,
    );
  return (passphrase, bytes) =>
    scryptSync(passphrase, salt, bytes, { cost, blockSize, parallelization, maxmem: 2 * MAX_SCRYPT_BYTES });
}

function oidOf(reader: DerReader): string {
  return Buffer.from(reader.take(TAG.oid)).toString('hex');
}
