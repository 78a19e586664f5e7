import { createCipheriv, pbkdf2Sync } from 'node:crypto';
import { Failure } from '../../../app/failure.js';
import { element, integerElement, TAG } from './der.js';
import { unreadableKey } from './key-file.js';
import { MAX_KEY_FILE_BYTES, readPrivateKey } from './private-key.js';
import { PBKDF2_ROUNDS } from './rounds.js';

/** Largest key file that is looked at, in bytes; ours have about 330. */
export const MAX_PEM_BYTES = MAX_KEY_FILE_BYTES;
/** OpenSSL takes no longer passphrase. */
export const MAX_PASSPHRASE_BYTES = 1024;

const OID = {
  pbes2: oid('2a864886f70d01050d'),
  pbkdf2: oid('2a864886f70d01050c'),
  hmacSha256: oid('2a864886f70d0209'),
  aes256Cbc: oid('60864801650304012a'),
} as const;

/** PrivateKeyInfo of an Ed25519 seed (RFC 8410, section 7), up to the seed itself. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const REENCRYPT = 'openssl pkcs8 -topk8 -v2 aes-256-cbc -in <file> -out <new file>';

/**
 * A PKCS#8 `ENCRYPTED PRIVATE KEY` (RFC 5958, PBES2 of RFC 8018) holding the 32-byte seed, as `openssl pkey` reads it.
 * `salt` and `iv` are 16 fresh random bytes each.
 */
export function encodeEncryptedPem(seed: Uint8Array, passphrase: string, salt: Uint8Array, iv: Uint8Array): string {
  if (seed.length !== 32 || salt.length !== 16 || iv.length !== 16) throw new RangeError('wrong length');
  const key = pbkdf2Sync(passphraseBytes(passphrase), salt, PBKDF2_ROUNDS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const sealed = Buffer.concat([cipher.update(Buffer.concat([PKCS8_ED25519, seed])), cipher.final()]);
  key.fill(0);
  const prf = element(TAG.sequence, OID.hmacSha256, element(TAG.null));
  const kdf = element(TAG.sequence, element(TAG.octets, salt), integerElement(PBKDF2_ROUNDS), prf);
  const scheme = element(
    TAG.sequence,
    element(TAG.sequence, OID.pbkdf2, kdf),
    element(TAG.sequence, OID.aes256Cbc, element(TAG.octets, iv)),
  );
  const der = element(TAG.sequence, element(TAG.sequence, OID.pbes2, scheme), element(TAG.octets, sealed));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN ENCRYPTED PRIVATE KEY-----', ...lines, '-----END ENCRYPTED PRIVATE KEY-----', ''].join('\n');
}

/** The same unencrypted, for programs that open nothing else; only ever written when a person asks for it in so many words. */
export function encodePlainPem(seed: Uint8Array): string {
  if (seed.length !== 32) throw new RangeError('wrong length');
  const der = Buffer.concat([PKCS8_ED25519, seed]).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
}

export interface DecodeOptions {
  /** Also take an unencrypted `PRIVATE KEY`, as passports of other programs carry it. */
  readonly allowPlain?: boolean;
}

/**
 * The 32-byte seed in a private key of any form that `readPrivateKey` knows. Fails with UNREADABLE when it is no Ed25519 key, or is
 * not encrypted and `allowPlain` is not set, and with WRONG_PASSPHRASE when it does not open. `passphrase` is null for a file
 * expected to be plain.
 */
export function decodePem(pem: string, passphrase: string | null, options: DecodeOptions = {}): Uint8Array {
  const key = readPrivateKey(pem);
  if (!key.encrypted) {
    if (options.allowPlain === true) return key.seed;
    throw notEncrypted();
  }
  if (passphrase === null)
    throw new Failure('WRONG_PASSPHRASE', 'The key is encrypted, and no passphrase was given.', {
      hint: 'give it with --passphrase-file, --passphrase-fd or AIP_KEY_PASSPHRASE',
    });
  return key.open(passphraseBytes(passphrase));
}

/** Fails with UNREADABLE unless `pem` is an encrypted key in a form that `decodePem` can open with the right passphrase. */
export function requireEncryptedPem(pem: string): void {
  // By its label: what is wrong with it comes second to that it lies there open.
  if (/-----BEGIN PRIVATE KEY-----/.test(pem) || !readPrivateKey(pem).encrypted) throw notEncrypted();
}

function notEncrypted(): Failure {
  return unreadableKey('It holds a private key that is not encrypted.', REENCRYPT);
}

/**
 * As `decodePem`, of the file that people know as `name`, which failures about it name; `passphrase` is asked only where it is needed, and its own
 * failures stay as they are. `mend`: what to do about a key that cannot be read, where it is not another program's.
 */
export async function openKeyFile(
  name: string,
  pem: string,
  passphrase: () => Promise<string>,
  { allowPlain = false, mend = null }: DecodeOptions & { readonly mend?: string | null } = {},
): Promise<Uint8Array> {
  const named = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof Failure) || (cause.code !== 'UNREADABLE' && cause.code !== 'WRONG_PASSPHRASE'))
        throw cause;
      const hint = cause.code === 'UNREADABLE' && cause.hint !== REENCRYPT ? (mend ?? cause.hint) : cause.hint;
      throw new Failure(cause.code, `Key file ${name}: ${cause.message}`, hint === null ? {} : { hint });
    }
  };
  // Before the question: no passphrase is typed for a file that cannot be opened.
  const isEncrypted = named(() => {
    if (!allowPlain) requireEncryptedPem(pem);
    return readPrivateKey(pem).encrypted;
  });
  const secret = isEncrypted ? await passphrase() : null;
  return named(() => decodePem(pem, secret, { allowPlain }));
}

function passphraseBytes(passphrase: string): Buffer {
  const bytes = Buffer.from(passphrase, 'utf8');
  if (bytes.length === 0) throw new Failure('USAGE', 'The passphrase is empty.');
  if (bytes.length > MAX_PASSPHRASE_BYTES) {
    throw new Failure('USAGE', `The passphrase is longer than ${MAX_PASSPHRASE_BYTES} bytes.`);
  }
  return bytes;
}

function oid(contentHex: string): Buffer {
  return element(TAG.oid, Buffer.from(contentHex, 'hex'));
}
