/** Private keys of OpenSSH: `openssh-key-v1`, PROTOCOL.key in its sources. */
import { createDecipheriv } from 'node:crypto';
import { publicKeyOf } from '../../../protocol/ed25519/sign.js';
import { bcryptPbkdf } from './bcrypt-pbkdf.js';
import { SshWire } from '../../../protocol/identity/ssh-wire.js';
import { unreadableKey, wrongPassphrase, type PrivateKeyFile } from './key-file.js';

const MAGIC = Buffer.from('openssh-key-v1\0', 'latin1');
/** About 10 s of work; ssh-keygen makes 16 to 24 unless told otherwise. */
const MAX_ROUNDS = 500;

interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly tagBytes: number;
}
const CIPHERS: Readonly<Record<string, Cipher>> = {
  'aes256-ctr': { name: 'aes-256-ctr', keyBytes: 32, ivBytes: 16, tagBytes: 0 },
  'aes192-ctr': { name: 'aes-192-ctr', keyBytes: 24, ivBytes: 16, tagBytes: 0 },
  'aes128-ctr': { name: 'aes-128-ctr', keyBytes: 16, ivBytes: 16, tagBytes: 0 },
  'aes256-cbc': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16, tagBytes: 0 },
  'aes192-cbc': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16, tagBytes: 0 },
  'aes128-cbc': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16, tagBytes: 0 },
  'aes256-gcm@openssh.com': { name: 'aes-256-gcm', keyBytes: 32, ivBytes: 12, tagBytes: 16 },
  'aes128-gcm@openssh.com': { name: 'aes-128-gcm', keyBytes: 16, ivBytes: 12, tagBytes: 16 },
};

/** The key in the bytes of the block. Fails with UNREADABLE. */
export function readOpenSsh(bytes: Buffer): PrivateKeyFile {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw unreadableKey('It is a damaged key of OpenSSH.');
    throw error;
  }
}

function read(bytes: Buffer): PrivateKeyFile {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('no OpenSSH key');
  const wire = new SshWire(bytes.subarray(MAGIC.length));
  const [cipherName, kdf, options] = [wire.text(), wire.text(), wire.bytes()];
  const count = wire.number();
  if (count !== 1) throw unreadableKey(`It holds ${count} keys of OpenSSH.`, 'keep one key in a file');
  const kind = new SshWire(wire.bytes()).text();
  if (kind !== 'ssh-ed25519') throw otherKind(kind);
  const sealed = wire.bytes();
  if (cipherName === 'none' && kdf === 'none') {
    const seed = seedIn(sealed);
    if (seed === null) throw new RangeError('check bytes differ');
    return { encrypted: false, seed };
  }
  const cipher = CIPHERS[cipherName];
  if (cipher === undefined || kdf !== 'bcrypt')
    throw unreadableKey(
      'It is a key of OpenSSH that is encrypted in an unusual way.',
      'give a copy of it another cipher: ssh-keygen -p -Z aes256-ctr -f <copy>',
    );
  const params = new SshWire(options);
  const [salt, rounds] = [params.bytes(), params.number()];
  if (rounds < 1 || rounds > MAX_ROUNDS)
    throw unreadableKey(`It asks for ${rounds} rounds of bcrypt; at most ${MAX_ROUNDS} are done.`);
  const tag = wire.rest(cipher.tagBytes);
  return { encrypted: true, open: (passphrase) => opened(sealed, cipher, { salt, rounds, tag }, passphrase) };
}

function opened(
  sealed: Buffer,
  { name, keyBytes, ivBytes, tagBytes }: Cipher,
  { salt, rounds, tag }: { readonly salt: Buffer; readonly rounds: number; readonly tag: Buffer },
  passphrase: Uint8Array,
): Uint8Array {
  const key = bcryptPbkdf(passphrase, salt, rounds, keyBytes + ivBytes);
  let seed;
  try {
    const decipher = createDecipheriv(name as 'aes-256-gcm', key.subarray(0, keyBytes), key.subarray(keyBytes));
    if (tagBytes > 0) decipher.setAuthTag(tag);
    else decipher.setAutoPadding(false);
    seed = seedIn(Buffer.concat([decipher.update(sealed), decipher.final()]));
  } catch (error) {
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code !== 'UNREADABLE') throw wrongPassphrase();
    throw error;
  } finally {
    key.fill(0);
  }
  if (seed === null) throw wrongPassphrase();
  return seed;
}

/** Null when the two check numbers differ, as they do under a wrong passphrase. Throws RangeError on damage. */
function seedIn(bytes: Buffer): Uint8Array | null {
  const wire = new SshWire(bytes);
  if (wire.number() !== wire.number()) return null;
  const kind = wire.text();
  if (kind !== 'ssh-ed25519') throw otherKind(kind);
  const [publicKey, pair] = [wire.bytes(), wire.bytes()];
  const seed = Uint8Array.from(pair.subarray(0, 32));
  if (pair.length !== 64 || !publicKey.equals(publicKeyOf(seed)) || !pair.subarray(32).equals(publicKey))
    throw unreadableKey('Its public half does not belong to its private half.');
  return seed;
}

function otherKind(kind: string): Error {
  const plain = /^[a-z0-9@.-]{1,64}$/.test(kind) ? ` (${kind})` : '';
  return unreadableKey(`It is a key of OpenSSH of another kind than Ed25519${plain}.`);
}
