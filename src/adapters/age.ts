/**
 * Archives encrypted to recipients, in the age format, by the library of its author. That one knows `age1...`; recipients that are SSH keys
 * (`ssh-ed25519`) are added here, as the age specification has them.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createCipheriv,
  createDecipheriv,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { Decrypter, Encrypter, Stanza, type Identity, type Recipient } from 'age-encryption';
import { Failure } from '../app/failure.js';
import { publicKeyOf } from '../protocol/ed25519/sign.js';
import { sshString } from '../protocol/identity/ssh-wire.js';
import { readPublicKey } from '../protocol/identity/public-key-forms.js';

const LABEL = 'age-encryption.org/v1/ssh-ed25519';
const PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');
/** 2^255 - 19. */
const PRIME = 2n ** 255n - 19n;
const BASE = Buffer.from(`09${'00'.repeat(31)}`, 'hex');

/** Most bytes before the content: some hundred recipients. Further ones would all be kept in memory, and a stranger can write them. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** What a file is decrypted with: the text of an age identity, or the seed of an Ed25519 key. */
export type ArchiveIdentity = { readonly age: string } | { readonly seed: Uint8Array };

/** The bytes encrypted to each of the recipients: `age1...` or `ssh-ed25519 ...`. `random` gives keys that are used once. @throws Failure USAGE */
export async function encryptedTo(
  recipients: readonly string[],
  source: AsyncIterable<Uint8Array>,
  random: (n: number) => Uint8Array,
): Promise<AsyncIterable<Uint8Array>> {
  const encrypter = new Encrypter();
  for (const text of recipients) {
    try {
      encrypter.addRecipient(recipientOf(text, random));
    } catch (error) {
      // The library's own: of a checksum, as a letter that was mistyped leaves it.
      throw error instanceof Failure ? error : noRecipient(text);
    }
  }
  return encrypter.encrypt(streamOf(source));
}

/** What was encrypted to one of the identities. @throws Failure UNREADABLE where none of them opens it, or it was changed */
export async function* decryptedWith(
  identities: readonly ArchiveIdentity[],
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter();
  let headerBytes: number | null = 0;
  const bounded = (async function* () {
    for await (const chunk of source) {
      if (headerBytes !== null && (headerBytes += chunk.length) > MAX_HEADER_BYTES)
        throw new Failure('UNREADABLE', `${name} names more recipients than are looked at.`);
      yield chunk;
    }
  })();
  try {
    for (const each of identities) decrypter.addIdentity('age' in each ? each.age : sshIdentity(each.seed));
    const content = await decrypter.decrypt(streamOf(bounded));
    headerBytes = null;
    yield* content as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('UNREADABLE', `${name} is not opened by this identity, or was changed.`, {
      hint: 'aip logs verify --file <file> --identity <the key file of a recipient>',
    });
  }
}

function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  // What is handed over may be reused by who reads the file.
  const copied = (async function* () {
    for await (const chunk of source) yield Uint8Array.from(chunk);
  })();
  return ReadableStream.from(copied);
}

function recipientOf(text: string, random: (n: number) => Uint8Array): string | Recipient {
  const trimmed = text.trim();
  if (/^age1[02-9ac-hj-np-z]{10,4000}$/.test(trimmed)) return trimmed;
  const reading = trimmed.startsWith('ssh-ed25519 ') ? readPublicKey(trimmed) : null;
  if (reading?.kind === 'key') return sshRecipient(reading.publicKey, random);
  throw noRecipient(trimmed);
}

function noRecipient(text: string): Failure {
  const shown = text.startsWith('age1') || text.startsWith('ssh-') ? `"${text.slice(0, 40)}"` : 'What --encrypt names';
  return new Failure('USAGE', `${shown} is no recipient.`, {
    hint: '--encrypt age1... or --encrypt "$(cat ~/.ssh/id_ed25519.pub)"',
  });
}

function sshRecipient(publicKey: Uint8Array, random: (n: number) => Uint8Array): Recipient {
  const theirs = montgomeryOf(publicKey);
  return {
    wrapFileKey(fileKey) {
      const once = random(32);
      const ours = shared(once, BASE);
      const secret = shared(tweakOf(publicKey), shared(once, theirs));
      const cipher = createCipheriv('chacha20-poly1305', wrappingKey(secret, ours, theirs), Buffer.alloc(12), {
        authTagLength: 16,
      });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(['ssh-ed25519', tagOf(publicKey), unpadded(ours)], Uint8Array.from(body))];
    },
  };
}

function sshIdentity(seed: Uint8Array): Identity {
  const publicKey = publicKeyOf(seed);
  const ours = montgomeryOf(publicKey);
  const scalar = createHash('sha512').update(seed).digest().subarray(0, 32);
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        if (args[0] !== 'ssh-ed25519' || args[1] !== tagOf(publicKey) || args.length !== 3 || body.length !== 32)
          continue;
        const theirs = Buffer.from(args[2]!, 'base64');
        if (theirs.length !== 32 || unpadded(theirs) !== args[2]) continue;
        const secret = shared(tweakOf(publicKey), shared(scalar, theirs));
        const cipher = createDecipheriv('chacha20-poly1305', wrappingKey(secret, theirs, ours), Buffer.alloc(12), {
          authTagLength: 16,
        });
        cipher.setAuthTag(body.subarray(16));
        try {
          return Uint8Array.from(Buffer.concat([cipher.update(body.subarray(0, 16)), cipher.final()]));
        } catch {
          // Another key with the same four bytes of a hash.
        }
      }
      return null;
    },
  };
}

/** X25519; fails on points of low order, whose result is all zero. */
function shared(scalar: Uint8Array, point: Uint8Array): Buffer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE, scalar]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC, point]), format: 'der', type: 'spki' });
  return diffieHellman({ privateKey, publicKey });
}

function wrappingKey(secret: Uint8Array, once: Uint8Array, recipient: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, Buffer.concat([once, recipient]), LABEL, 32));
}

function tweakOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', Buffer.alloc(0), wireOf(publicKey), LABEL, 32));
}

function tagOf(publicKey: Uint8Array): string {
  return unpadded(createHash('sha256').update(wireOf(publicKey)).digest().subarray(0, 4));
}

function wireOf(publicKey: Uint8Array): Buffer {
  return Buffer.concat([sshString(Buffer.from('ssh-ed25519')), sshString(publicKey)]);
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/** The point of the same key on Curve25519: u = (1 + y) / (1 - y). */
function montgomeryOf(publicKey: Uint8Array): Buffer {
  const little = Buffer.from(publicKey);
  little[31]! &= 0x7f;
  const y = BigInt(`0x${Buffer.from(little).reverse().toString('hex')}`);
  const u = mod((1n + y) * inverse(mod(1n - y)));
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

function mod(value: bigint): bigint {
  return ((value % PRIME) + PRIME) % PRIME;
}

/** By Fermat: value^(p - 2). */
function inverse(value: bigint): bigint {
  let [result, base, exponent] = [1n, value, PRIME - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}
