/** A public key wherever one is given: as text in any form, as a file of any name, or `-` for stdin. */
import { Failure, shellWord } from '../../app/failure.js';
import { verifyKeyOf, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { PUBLIC_KEY_FORMS, readPublicKey } from '../../protocol/identity/public-key-forms.js';
import { readInput } from './documents.js';
import { readDocument } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** The key that `given` names. Fails with USAGE, naming `what` was asked for and what was found, and quoting neither. */
export async function publicKeyFrom(given: string, what: string, cli: Notices & Surroundings): Promise<VerifyKey> {
  const direct = given === '-' ? null : readPublicKey(given);
  if (direct !== null && direct.kind !== 'none') return usable(direct, `${what} is`);
  if (given === '') throw new Failure('USAGE', `${what} is empty.`, { hint: PUBLIC_KEY_FORMS });
  const bytes = given === '-' ? await readInput('-', cli) : await fileNamed(given);
  if (bytes === null) {
    if (/[/\\]|\.[A-Za-z0-9]{1,8}$/.test(given))
      throw new Failure('NOT_FOUND', `${what}: there is no file ${given.slice(0, 200)}.`, { hint: PUBLIC_KEY_FORMS });
    throw new Failure('USAGE', `${what} is neither a public key nor a file that exists.`, { hint: PUBLIC_KEY_FORMS });
  }
  const where = given === '-' ? 'stdin' : given;
  const reading = readPublicKey(Buffer.from(bytes).toString('utf8'));
  if (reading.kind === 'none') {
    const found = bytes.length === 0 ? 'is empty' : 'holds no public key that can be read';
    throw new Failure('USAGE', `${what}: ${where} ${found}.`, { hint: PUBLIC_KEY_FORMS });
  }
  return usable(reading, `${what}: ${where} holds`);
}

function usable(reading: ReturnType<typeof readPublicKey>, subject: string): VerifyKey {
  const key = reading.kind === 'key' ? verifyKeyOf(reading.publicKey) : null;
  if (key !== null) return key;
  const found = reading.kind === 'other' ? reading.what : 'an unacceptable key';
  throw new Failure('USAGE', `${subject} ${found}; an Ed25519 public key is needed.`, { hint: PUBLIC_KEY_FORMS });
}

/** Null where there is no such file; a mistyped key is no path worth an error of its own. */
async function fileNamed(path: string): Promise<Uint8Array | null> {
  if (path.length > 4096 || path.includes('\0') || path.includes('\n')) return null;
  try {
    return await readDocument(path);
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return null;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENAMETOOLONG') return null;
    if (error instanceof Failure)
      throw new Failure(error.code, error.message, { hint: error.hint ?? `ls -l ${shellWord(path)}` });
    throw error;
  }
}
