/**
 * Files that a program's output does not take the place of, also where `--out` names them (protocol, section 8): a private key is
 * gone with its file, so is a state, a mesh or a backup of one; a passport is what others were given, and an older checkpoint may be the only
 * one that finds a cut.
 */
import { Failure } from '../../app/failure.js';
import { readDocument } from './document.js';
import { replaceFile } from './plain-file.js';
import { isStream } from './streams/stream-file.js';

/** `replaceFile` for what can be made again: intents, approvals, proofs, reports. @throws Failure EXISTS as `refuseIrreplaceable` */
export async function replaceOutput(path: string, text: string): Promise<void> {
  await refuseIrreplaceable(path);
  await replaceFile(path, text);
}

/** @throws Failure EXISTS where a private key, a database, a passport or a checkpoint stands at `path` */
export async function refuseIrreplaceable(path: string): Promise<void> {
  if (await isStream(path)) return;
  // What cannot be read fails where it is written, or is what this user may replace.
  const bytes = await readDocument(path).catch(() => null);
  const what = bytes === null ? null : irreplaceable(Buffer.from(bytes).toString('utf8'));
  if (what === null) return;
  throw new Failure('EXISTS', `${path} is ${what}; it was left as it is.`, {
    hint: 'choose another file, or take that one away first',
  });
}

/** Also with other text around it, as people keep keys; a log or an intent that quotes one has it within a line. */
const PRIVATE_KEY =
  /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^\s*(?:(?:export|set)\s+)?AGENT_PRIVATE_KEY\s*=|^AGE-SECRET-KEY-1/m;
/** As a verifier keeps its own, and as an API key of a mesh is kept. */
const KEY_TEXT = /^\s*(?:ed25519:[0-9a-fA-F]{64}|aipm_[a-z]{1,20}_\w{12,})\s*$/;
const DATABASE = /^SQLite format 3\0/;
/** The head of a checkpoint (C2SP `tlog-checkpoint`): origin, size and root. */
const CHECKPOINT = /^[^\n]{1,255}\n\d{1,20}\n[A-Za-z0-9+/]{43}=\n/;

function irreplaceable(text: string): string | null {
  if (PRIVATE_KEY.test(text) || KEY_TEXT.test(text)) return 'a file of keys';
  if (DATABASE.test(text)) return 'a database';
  if (CHECKPOINT.test(text)) return 'a checkpoint';
  const document = documentIn(text);
  const holds = (...names: readonly string[]): boolean => names.every((name) => Object.hasOwn(document, name));
  // The second form is the public half of a folder of the Python package.
  if (holds('issuer_signature') || holds('identity', 'boundaries', 'public_key')) return 'a passport';
  return holds('type') && document.type === 'log-checkpoint' ? 'a checkpoint' : null;
}

function documentIn(text: string): { readonly type?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
