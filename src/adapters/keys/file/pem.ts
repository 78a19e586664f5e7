import { createCipheriv, createPrivateKey, pbkdf2Sync } from 'node:crypto';
import { Failure } from '../../../app/failure.js';
import { DerReader, element, integer, TAG } from './der.js';

/** Largest key file that is looked at, in bytes; ours have about 330. */
export const MAX_PEM_BYTES = 8 * 1024;
/** PBKDF2-HMAC-SHA256 rounds of new files (OWASP Password Storage Cheat Sheet). */
const PBKDF2_ROUNDS = 600_000;
/** Files asking for more are refused before any work: a file could otherwise hold the command up for hours. */
const MAX_PBKDF2_ROUNDS = 4_000_000;
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
const BLOCK = /^\s*-----BEGIN ((?:ENCRYPTED )?PRIVATE KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/;

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
  const kdf = element(TAG.sequence, element(TAG.octets, salt), integer(PBKDF2_ROUNDS), prf);
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

/** True for a PEM block that needs a passphrase. Judges the label alone. */
export function isEncryptedPem(pem: string): boolean {
  return BLOCK.exec(pem)?.[1] === 'ENCRYPTED PRIVATE KEY';
}

/**
 * The 32-byte seed in a PKCS#8 PEM. Fails with UNREADABLE when it is no Ed25519 key of a supported form, and with
 * WRONG_PASSPHRASE when it does not open. `passphrase` is null for a file expected to be plain.
 */
export function decodePem(pem: string, passphrase: string | null, options: DecodeOptions = {}): Uint8Array {
  const { encrypted, der } = parseBlock(pem);
  if (!encrypted) {
    if (options.allowPlain === true) return seedOf(der, null);
    throw unreadable('It holds a private key that is not encrypted.', REENCRYPT);
  }
  requireAffordable(der);
  if (passphrase === null) throw new Failure('WRONG_PASSPHRASE', 'The key is encrypted, and no passphrase was given.');
  return seedOf(der, passphraseBytes(passphrase));
}

/** Fails with UNREADABLE unless `pem` is an encrypted key in a form that `decodePem` can open with the right passphrase. */
export function requireEncryptedPem(pem: string): void {
  const { encrypted, der } = parseBlock(pem);
  if (!encrypted) throw unreadable('It holds a private key that is not encrypted.', REENCRYPT);
  requireAffordable(der);
}

/** Says of a failure to decode which file it is about. */
export function inKeyFile(cause: unknown, path: string): unknown {
  if (!(cause instanceof Failure) || (cause.code !== 'UNREADABLE' && cause.code !== 'WRONG_PASSPHRASE')) return cause;
  return new Failure(cause.code, `Key file ${path}: ${cause.message}`, cause.hint === null ? {} : { hint: cause.hint });
}

function parseBlock(pem: string): { encrypted: boolean; der: Buffer } {
  const block = pem.length > MAX_PEM_BYTES ? null : BLOCK.exec(pem);
  if (block === null) throw unreadable('It is not one PKCS#8 private key in PEM.');
  const der = Buffer.from(block[2]!.replace(/[\r\n]/g, ''), 'base64');
  return { encrypted: block[1] === 'ENCRYPTED PRIVATE KEY', der };
}

/** Fails unless the key derivation is PBKDF2 with a bearable number of rounds; the rest is left to OpenSSL. */
function requireAffordable(der: Uint8Array): void {
  let rounds;
  try {
    const outer = new DerReader(der);
    const info = outer.enter();
    outer.end();
    const scheme = info.enter();
    info.take(TAG.octets);
    info.end();
    requireOid(scheme, OID.pbes2);
    const kdf = scheme.enter().enter();
    requireOid(kdf, OID.pbkdf2);
    const params = kdf.enter();
    params.take(TAG.octets);
    rounds = params.takeInteger();
  } catch {
    throw unreadable('It is encrypted in another way than PBES2 with PBKDF2, or is damaged.', REENCRYPT);
  }
  if (rounds < 1 || rounds > MAX_PBKDF2_ROUNDS) {
    throw unreadable(`It asks for ${rounds} PBKDF2 rounds; at most ${MAX_PBKDF2_ROUNDS} are done.`);
  }
}

function requireOid(reader: DerReader, expected: Buffer): void {
  if (!expected.subarray(2).equals(reader.take(TAG.oid))) throw new RangeError('another algorithm');
}

function seedOf(der: Buffer, passphrase: Buffer | null): Uint8Array {
  let key;
  try {
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8', ...(passphrase === null ? {} : { passphrase }) });
  } catch {
    // OpenSSL's own error is left out: it can quote what it failed to parse.
    if (passphrase === null) throw unreadable('It does not hold a whole private key.');
    throw new Failure('WRONG_PASSPHRASE', 'The passphrase does not open the key, or the file is damaged.', {
      hint: 'give the one it was made with: at the terminal, in AIP_KEY_PASSPHRASE, or with --passphrase-file <file>',
    });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw unreadable('It holds a key of another kind than Ed25519.');
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
}

function passphraseBytes(passphrase: string): Buffer {
  const bytes = Buffer.from(passphrase, 'utf8');
  if (bytes.length === 0) throw new Failure('USAGE', 'The passphrase is empty.');
  if (bytes.length > MAX_PASSPHRASE_BYTES) {
    throw new Failure('USAGE', `The passphrase is longer than ${MAX_PASSPHRASE_BYTES} bytes.`);
  }
  return bytes;
}

function unreadable(message: string, hint?: string): Failure {
  return new Failure('UNREADABLE', message, hint === undefined ? {} : { hint });
}

function oid(contentHex: string): Buffer {
  return element(TAG.oid, Buffer.from(contentHex, 'hex'));
}
