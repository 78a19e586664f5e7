import type { PageWindow } from './browser.js';

/** A key that was opened in this page; it goes nowhere. */
export interface OpenedKey {
  /** `ed25519:` and hex. */
  readonly publicKey: string;
  /** 128 hex digits over the UTF-8 bytes of a text. */
  sign(text: string): Promise<string>;
}

const PBES2 = '2a864886f70d01050d';
const PBKDF2 = '2a864886f70d01050c';
const AES: Readonly<Record<string, number>> = {
  '608648016503040102': 128,
  '608648016503040116': 192,
  '60864801650304012a': 256,
};
const HASHES: Readonly<Record<string, string>> = {
  '': 'SHA-1',
  '2a864886f70d0207': 'SHA-1',
  '2a864886f70d0209': 'SHA-256',
  '2a864886f70d020a': 'SHA-384',
  '2a864886f70d020b': 'SHA-512',
};
/** An Ed25519 key in PKCS#8 (RFC 8410), before its seed. */
const ED25519 = '302e020100300506032b657004220420';
const MOST_ROUNDS = 4_000_000;
const OTHER =
  'This page reads PKCS#8 keys in PEM, plain or encrypted with PBKDF2 and AES; for another, use the command.';

/** Lower-case hex digits. */
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Elements of DER in order; throws RangeError on what is cut off. */
function elements(bytes: Uint8Array): { readonly tag: number; readonly content: Uint8Array }[] {
  const found: { tag: number; content: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]!;
    let length = bytes[at + 1] ?? 0x100;
    at += 2;
    if (length >= 0x80) {
      const more = length - 0x80;
      length = 0;
      if (more < 1 || more > 3) throw new RangeError(OTHER);
      for (let i = 0; i < more; i++) length = length * 256 + (bytes[at++] ?? 0);
    }
    if (at + length > bytes.length) throw new RangeError(OTHER);
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

const within = (content: Uint8Array | undefined) => {
  if (content === undefined) throw new RangeError(OTHER);
  return elements(content);
};

/** Signs with a private key that its owner picks as a file: it is read, opened and forgotten in this page. */
export function signing({ crypto, atob }: PageWindow) {
  const bytesOf = (base64: string): Uint8Array =>
    Uint8Array.from(atob(base64.replace(/\s/g, '')), (each) => each.charCodeAt(0));

  const decrypted = async (der: Uint8Array, passphrase: string): Promise<Uint8Array> => {
    const [outer] = elements(der);
    const [algorithm, sealed] = within(outer?.content);
    const [scheme, params] = within(algorithm?.content);
    const [kdf, cipher] = within(params?.content);
    const [kdfName, kdfParams] = within(kdf?.content);
    const [cipherName, iv] = within(cipher?.content);
    const bits = AES[hex(cipherName!.content)];
    if (hex(scheme!.content) !== PBES2 || hex(kdfName!.content) !== PBKDF2 || bits === undefined)
      throw new RangeError(OTHER);
    const [salt, rounds, ...rest] = within(kdfParams?.content);
    const prf = rest.find(({ tag }) => tag === 0x30);
    const hash = HASHES[prf === undefined ? '' : hex(within(prf.content)[0]!.content)];
    const iterations = Number.parseInt(hex(rounds!.content), 16);
    if (hash === undefined || !(iterations >= 1 && iterations <= MOST_ROUNDS)) throw new RangeError(OTHER);
    const { subtle } = crypto;
    const secret = await subtle.importKey('raw', new TextEncoder().encode(passphrase), 'PBKDF2', false, ['deriveKey']);
    const derived = { name: 'PBKDF2', salt: salt!.content, iterations, hash };
    const key = await subtle.deriveKey(derived, secret, { name: 'AES-CBC', length: bits }, false, ['decrypt']);
    try {
      return new Uint8Array(await subtle.decrypt({ name: 'AES-CBC', iv: iv!.content }, key, sealed!.content));
    } catch {
      throw new RangeError('The passphrase does not open this key.');
    }
  };

  return {
    /** The key in a PEM file. @throws RangeError with a sentence for people */
    async open(pem: string, passphrase: string): Promise<OpenedKey> {
      const found = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----([A-Za-z0-9+/=\s]{1,20000})-----END/.exec(pem);
      if (found === null) throw new RangeError(OTHER);
      const der = bytesOf(found[2]!);
      const plain = found[1] === undefined ? der : await decrypted(der, passphrase);
      if (plain.length !== 48 || !hex(plain).startsWith(ED25519))
        throw new RangeError('This is no Ed25519 key, or the passphrase does not open it.');
      const { subtle } = crypto;
      let key: unknown;
      try {
        key = await subtle.importKey('pkcs8', plain, { name: 'Ed25519' }, true, ['sign']);
      } catch {
        throw new RangeError('This browser does not sign with Ed25519; use the command.');
      }
      const { x = '' } = await subtle.exportKey('jwk', key);
      return {
        publicKey: `ed25519:${hex(bytesOf(x.replaceAll('-', '+').replaceAll('_', '/')))}`,
        sign: async (text) =>
          hex(new Uint8Array(await subtle.sign({ name: 'Ed25519' }, key, new TextEncoder().encode(text)))),
      };
    },
    /** `sha256:` and hex over the UTF-8 bytes of a text. */
    digest: async (text: string): Promise<string> =>
      `sha256:${hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))}`,
  };
}
