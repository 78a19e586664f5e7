/**
 * A public key in every form that people hold one in: our key text, base64url, PEM with text around it, OpenSSH's line, JWK,
 * Multikey and did:key. What is another kind of key is named as such, never quoted: a private key may have been pasted here.
 */
import { acceptableKey } from '../ed25519/acceptance.js';
import { JsonError, parseJsonText } from '../json/parse.js';
import { isObject, type JsonObject } from '../json/values.js';
import { parsePublicKey } from './keys.js';
import { fromMultibase, toMultibase } from './multibase.js';
import { sshString } from './ssh-wire.js';

/** What a text is, where a public key is expected. */
export type PublicKeyReading =
  | { readonly kind: 'key'; readonly publicKey: Uint8Array }
  /** A key, or a document of keys, that cannot serve; `what` is a noun phrase such as "an RSA public key". */
  | { readonly kind: 'other'; readonly what: string }
  /** Nothing that looks like a key: it may be the name of a file. */
  | { readonly kind: 'none' };

/** Longest text that is looked at, in UTF-16 units: a certificate chain beside the key fits. */
const MAX_KEY_TEXT = 64 * 1024;

/** What to write instead, for hints. */
export const PUBLIC_KEY_FORMS =
  'give ed25519:<64 hex digits>, base64url, PEM, an ssh-ed25519 line, a JWK, a Multikey or did:key, as text, a file or -';

/** Reads the one public key in `text`; white space around it does not matter. */
export function readPublicKey(text: string): PublicKeyReading {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed.length > MAX_KEY_TEXT) return { kind: 'other', what: `a text longer than ${MAX_KEY_TEXT} characters` };
  const reading = readForm(trimmed);
  if (reading.kind === 'key' && !acceptableKey(reading.publicKey))
    return { kind: 'other', what: 'an Ed25519 key of small order or in a non-canonical encoding' };
  return reading;
}

function readForm(text: string): PublicKeyReading {
  const plain = parsePublicKey(text);
  if (plain !== null) return { kind: 'key', publicKey: plain };
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(text)) return inPem(text);
  const ssh2 = SSH2.exec(text);
  if (ssh2 !== null) return inSshBlob(rfc4716(ssh2[1]!));
  if (text.startsWith('{')) return inJson(text);
  if (text.startsWith('did:key:')) return inMultibase(text.slice('did:key:'.length).replace(/#.*$/s, ''), 'did:key');
  if (/^z[1-9A-HJ-NP-Za-km-z]{40,}$/.test(text)) return inMultibase(text, 'Multikey');
  const ssh = sshLine(text);
  if (ssh !== null) return ssh;
  if (/^(?:ed25519:)?[0-9a-fA-F]{64}$/.test(text))
    return { kind: 'other', what: '64 hex digits without ed25519: before them' };
  if (text.startsWith('ed25519:'))
    return { kind: 'other', what: `ed25519: with ${text.length - 8} characters instead of 64 hex digits behind it` };
  if (/^ed25519:/i.test(text)) return { kind: 'other', what: 'a key text in capitals; ed25519: is written small' };
  if (/^0x[0-9a-fA-F]+$/.test(text))
    return { kind: 'other', what: `${text.length - 2} hex digits behind 0x instead of ed25519:` };
  if (/^[0-9a-fA-F]{32,}$/.test(text))
    return { kind: 'other', what: `${text.length} hex digits instead of ed25519: and 64` };
  if (/^age1[a-z0-9]{50,}$/.test(text)) return { kind: 'other', what: 'an age recipient, which is an X25519 key' };
  if (/^aipm_[a-z]+_/.test(text)) return { kind: 'other', what: 'an API key of a mesh, which is a secret' };
  return { kind: 'none' };
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([\s\S]{0,20000}?)-----END \1-----/g;
/** RFC 4716. */
const SSH2 = /---- BEGIN SSH2 PUBLIC KEY ----\r?\n([\s\S]{1,4000}?)---- END SSH2 PUBLIC KEY ----/;
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

function inPem(text: string): PublicKeyReading {
  const blocks = [...text.matchAll(BLOCK)].map((match) => ({ label: match[1]!, body: match[2]! }));
  if (blocks.length === 0) return { kind: 'other', what: 'PEM whose block has no end' };
  const hidden = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  const open = blocks.filter(({ label }) => label === 'PUBLIC KEY');
  if (open.length > 1) return { kind: 'other', what: `PEM with ${open.length} public keys` };
  if (open.length === 1) return inSpki(open[0]!.body);
  if (hidden !== undefined) return { kind: 'other', what: 'a private key' };
  const labels: Readonly<Record<string, string>> = {
    CERTIFICATE: 'an X.509 certificate',
    'RSA PUBLIC KEY': 'an RSA public key',
    'PGP PUBLIC KEY BLOCK': 'an OpenPGP key',
  };
  return { kind: 'other', what: labels[blocks[0]!.label] ?? `PEM of the kind ${blocks[0]!.label}` };
}

/** Object identifiers inside a key in DER, and the kind they name with its article. */
const ALGORITHMS: readonly (readonly [string, string])[] = [
  ['06092a864886f70d010101', 'an RSA'],
  ['06082a8648ce3d030107', 'a P-256'],
  ['06052b81040022', 'a P-384'],
  ['06052b81040023', 'a P-521'],
  ['06052b8104000a', 'a secp256k1'],
  ['06032b656e', 'an X25519'],
  ['06032b656f', 'an X448'],
  ['06032b6571', 'an Ed448'],
  ['0609608648016503040311', 'an ML-DSA-44'],
  ['0609608648016503040312', 'an ML-DSA-65'],
];

function inSpki(body: string): PublicKeyReading {
  // A variable of a CI system has its line ends as two characters each.
  const digits = body.replace(/\s+|\\[rn]/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(digits)) return { kind: 'other', what: 'a PEM public key that is not base64' };
  const der = Buffer.from(digits, 'base64');
  if (der.length === 44 && SPKI_ED25519.equals(der.subarray(0, 12)))
    return { kind: 'key', publicKey: Uint8Array.from(der.subarray(12)) };
  const kind = algorithmIn(der);
  return { kind: 'other', what: kind === null ? 'a damaged PEM public key' : `${kind} public key` };
}

/** The kind of key in a DER structure, with its article ("an RSA"), by the identifiers in it; null when it names none of them. */
export function algorithmIn(der: Uint8Array): string | null {
  const head = Buffer.from(der.subarray(0, 256)).toString('hex');
  return ALGORITHMS.find(([oid]) => head.includes(oid))?.[1] ?? null;
}

/** Without the headers of RFC 4716, whose lines may be continued. */
function rfc4716(body: string): string {
  return body.replace(/^[A-Za-z-]+:(?:.*\\\r?\n)*.*$/gm, '').replace(/\s+/g, '');
}

const SSH_KINDS: Readonly<Record<string, string>> = {
  'ssh-rsa': 'an RSA key of OpenSSH',
  'ssh-dss': 'a DSA key of OpenSSH',
  'ecdsa-sha2-nistp256': 'a P-256 key of OpenSSH',
  'ecdsa-sha2-nistp384': 'a P-384 key of OpenSSH',
  'ecdsa-sha2-nistp521': 'a P-521 key of OpenSSH',
  'sk-ssh-ed25519@openssh.com':
    'an Ed25519 key on a security key, which signs another message than the one it is given',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'a P-256 key on a security key',
  'ssh-ed25519-cert-v01@openssh.com': 'a certificate of OpenSSH',
};

/** A line of `id_ed25519.pub`; comments and blank lines around it do not matter. */
function sshLine(text: string): PublicKeyReading | null {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const readings = keys.flatMap((line) => {
    const [kind = '', blob = ''] = line.split(/[ \t]+/);
    if (kind === 'ssh-ed25519') return [inSshBlob(blob)];
    return SSH_KINDS[kind] === undefined ? [] : [{ kind: 'other', what: SSH_KINDS[kind] } as const];
  });
  if (readings.length === 0) return null;
  return keys.length === 1 ? readings[0]! : { kind: 'other', what: `a file of ${keys.length} SSH keys` };
}

function inSshBlob(base64: string): PublicKeyReading {
  const damaged = { kind: 'other', what: 'a damaged SSH public key' } as const;
  if (!/^[A-Za-z0-9+/]{8,2000}={0,2}$/.test(base64)) return damaged;
  const blob = Buffer.from(base64, 'base64');
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  const kind = length > 64 ? '' : blob.toString('latin1', 4, 4 + length);
  if (kind !== 'ssh-ed25519') return { kind: 'other', what: SSH_KINDS[kind] ?? damaged.what };
  if (blob.length !== 51 || blob.readUInt32BE(15) !== 32) return damaged;
  return { kind: 'key', publicKey: Uint8Array.from(blob.subarray(19)) };
}

function inMultibase(text: string, form: string): PublicKeyReading {
  const bytes = fromMultibase(text);
  if (bytes === null) return { kind: 'other', what: `a ${form} of another kind or a damaged one` };
  if (bytes.length < 34) return { kind: 'other', what: `a ${form} that is cut off` };
  const [a, b] = bytes;
  if (a === 0xed && b === 0x01 && bytes.length === 34) return { kind: 'key', publicKey: bytes.slice(2) };
  const kinds: Readonly<Record<string, string>> = {
    ec01: 'an X25519 public key',
    '8024': 'a P-256 public key',
    e701: 'a secp256k1 public key',
    '8126': 'an Ed25519 private key',
    '8026': 'an Ed25519 private key',
  };
  const code = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  return { kind: 'other', what: kinds[code] ?? `a ${form} of another kind than Ed25519` };
}

function inJson(text: string): PublicKeyReading {
  let json;
  try {
    json = parseJsonText(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { kind: 'other', what: 'JSON that does not parse' };
  }
  return isObject(json) ? publicKeyInJson(json) : { kind: 'other', what: 'JSON that is no object' };
}

/** The key in a JWK, a set of one JWK, a Multikey object, or a DID document of one Ed25519 key. */
function publicKeyInJson(json: JsonObject): PublicKeyReading {
  if (json.kty !== undefined) return inJwk(json);
  const inner = json.publicKeyJwk;
  if (inner !== undefined) return isObject(inner) ? inJwk(inner) : { kind: 'other', what: 'a damaged JWK' };
  if (typeof json.publicKeyMultibase === 'string') return inMultibase(json.publicKeyMultibase, 'Multikey');
  if (Array.isArray(json.keys)) return onlyOne(json.keys, 'a JWK set');
  if (Array.isArray(json.verificationMethod)) return onlyOne(json.verificationMethod, 'a DID document');
  return { kind: 'other', what: 'JSON that is neither a JWK nor a Multikey' };
}

function onlyOne(entries: readonly unknown[], what: string): PublicKeyReading {
  const readings = entries
    .slice(0, 64)
    .map((one) => publicKeyInJson(isObject(one as never) ? (one as JsonObject) : {}));
  const keys = readings.filter((reading) => reading.kind === 'key');
  if (keys.length === 1) return keys[0]!;
  return {
    kind: 'other',
    what: keys.length === 0 ? `${what} without an Ed25519 key` : `${what} with ${keys.length} Ed25519 keys`,
  };
}

function inJwk(jwk: JsonObject): PublicKeyReading {
  if (jwk.d !== undefined || jwk.k !== undefined) return { kind: 'other', what: 'a private or secret JWK' };
  const kind = [jwk.kty, jwk.crv].filter((one) => typeof one === 'string' && /^[\w-]{1,20}$/.test(one)).join(' ');
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519')
    return { kind: 'other', what: `a JWK of another kind${kind === '' ? '' : ` (${kind})`}` };
  if (jwk.use !== undefined && jwk.use !== 'sig') return { kind: 'other', what: 'a JWK that is not for signatures' };
  const bytes = typeof jwk.x === 'string' && !jwk.x.startsWith('ed25519:') ? parsePublicKey(jwk.x) : null;
  return bytes === null ? { kind: 'other', what: 'a damaged JWK' } : { kind: 'key', publicKey: bytes };
}

/** OpenSSH's line for `id_ed25519.pub`, with `comment` behind it. */
export function sshPublicKey(publicKey: Uint8Array, comment: string): string {
  const blob = Buffer.concat([sshString(Buffer.from('ssh-ed25519')), sshString(publicKey)]);
  const said = comment.replace(/[^\x21-\x7e]/g, '');
  return `ssh-ed25519 ${blob.toString('base64')}${said === '' ? '' : ` ${said}`}`;
}

/** Multikey text: `z` and base58btc. */
export function multikeyText(publicKey: Uint8Array): string {
  return toMultibase(Uint8Array.from([0xed, 0x01, ...publicKey]));
}
