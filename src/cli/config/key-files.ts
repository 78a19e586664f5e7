/** Public keys that a config of the user's own names by their files. A project's file holds them itself: a file beside it could change after it was trusted. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { PUBLIC_KEY_FORMS, readPublicKey } from '../../protocol/identity/public-key-forms.js';
import { maskName } from '../../protocol/log/secret-text.js';
import { disowned } from '../../workspace/files.js';

const MAX_BYTES = 64 * 1024;

type Members = Readonly<Record<string, unknown>>;

/**
 * The content with each such key as `ed25519:<64 hex>`; paths are the config's own. With `uid`, fails where another user wrote a key's file or can.
 * @throws Failure USAGE for a file that holds no Ed25519 public key
 */
export function withKeyFiles(content: unknown, config: string, uid: number | null): unknown {
  if (!isMembers(content)) return content;
  const { principals, mesh } = content;
  const keyOf = (value: unknown): unknown => (typeof value === 'string' ? keyIn(value, config, uid) : value);
  return {
    ...content,
    ...(isMembers(principals)
      ? { principals: Object.fromEntries(Object.entries(principals).map(([did, key]) => [did, keyOf(key)])) }
      : {}),
    ...(isMembers(mesh) && typeof mesh['public_key'] === 'string'
      ? { mesh: { ...mesh, public_key: keyOf(mesh['public_key']) } }
      : {}),
  };
}

/** The text itself where it is a key, or names no file. */
function keyIn(text: string, config: string, uid: number | null): string {
  if (text === '' || text.length > 4096 || /[\0\n]/.test(text) || readPublicKey(text).kind !== 'none') return text;
  const path = resolve(dirname(config), text);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size > MAX_BYTES) return text;
  const problem = disowned(path, uid);
  if (problem !== null) throw new Failure('USAGE', problem.message, { hint: problem.hint });
  const reading = readPublicKey(readFileSync(path, 'utf8'));
  if (reading.kind === 'key') return formatPublicKey(reading.publicKey);
  const held = reading.kind === 'other' ? reading.what : 'no public key that can be read';
  throw new Failure('USAGE', `${maskName(path)}, which ${maskName(config)} names, holds ${held}.`, {
    hint: PUBLIC_KEY_FORMS,
  });
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
