/** What the `aip key` commands share: which key a word on the command line means, and how keys are shown. */
import { Failure } from '../../app/failure.js';
import { knownKeys, withPublicKey, type KeySources, type KnownKey } from '../../app/keys/known-keys.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { multikeyText, readPublicKey, sshPublicKey } from '../../protocol/identity/public-key-forms.js';
import { toJwk, toPem } from '../../protocol/identity/did-document.js';
import { nearest } from '../../protocol/naming/nearest.js';
import { formatSeconds } from '../../protocol/time.js';

/** The key that `named` means: a key id, the id or name of an agent or principal (its newest key), or a public key. */
export function keyNamed(state: KeySources, named: string): KnownKey {
  const keys = knownKeys(state);
  const reading = readPublicKey(named);
  const found =
    keys.find(({ keyId }) => keyId === named) ??
    newest(keys.filter(({ keyId }) => ownerOf(keyId) === named || ownerOf(keyId).endsWith(`:agents:${named}`))) ??
    (reading.kind === 'key' ? withPublicKey(keys, reading.publicKey)[0] : undefined);
  if (found !== undefined) return found;
  const guess = nearest(
    named,
    keys.map(({ keyId }) => keyId),
  );
  throw new Failure('NOT_FOUND', `No key here is named "${named.slice(0, 120)}".`, {
    hint: guess === null ? 'aip key list' : `did you mean ${guess}?`,
  });
}

const ownerOf = (keyId: string): string => keyId.split('#', 1)[0]!;

/** The one with the highest number; undefined of none, and of keys of several owners. */
function newest(keys: readonly KnownKey[]): KnownKey | undefined {
  if (new Set(keys.map(({ keyId }) => ownerOf(keyId))).size > 1) {
    throw new Failure('USAGE', `Several keys have that name: ${keys.map(({ keyId }) => keyId).join(', ')}.`, {
      hint: 'name one by its id',
    });
  }
  const number = ({ keyId }: KnownKey): number => Number(/#key-(\d+)$/.exec(keyId)?.[1] ?? 0);
  return [...keys].sort((a, b) => number(b) - number(a))[0];
}

export type PublicForm = 'text' | 'pem' | 'ssh' | 'jwk' | 'multikey' | 'did-key';
export const PUBLIC_FORMS: readonly PublicForm[] = ['text', 'pem', 'ssh', 'jwk', 'multikey', 'did-key'];

/** The public key in a form that other programs read, without a line end. */
export function publicForm(form: PublicForm, publicKey: Uint8Array, keyId: string): string {
  switch (form) {
    case 'text':
      return formatPublicKey(publicKey);
    case 'pem':
      return toPem(publicKey).trimEnd();
    case 'ssh':
      return sshPublicKey(publicKey, keyId);
    case 'jwk':
      return JSON.stringify(toJwk(publicKey, keyId));
    case 'multikey':
      return multikeyText(publicKey);
    case 'did-key':
      return `did:key:${multikeyText(publicKey)}`;
  }
}

/** A key as JSON has it. */
export function keyFacts({ keyId, publicKey, of, record }: KnownKey) {
  return {
    key_id: keyId,
    of,
    public_key: publicKey === null ? null : formatPublicKey(publicKey),
    key_store: record?.store ?? null,
    key_ref: record?.ref ?? null,
    created_at: record === null ? null : formatSeconds(record.createdAt),
  };
}
