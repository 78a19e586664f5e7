/** Exports of the log that only their readers can open. */
import type { ArchiveIdentity } from '../adapters/age.js';
import { Failure } from '../app/failure.js';
import { pemFiles, secretFile } from './keys.js';
import type { LocalWorkspace } from './workspace.js';

/** Text encrypted to recipients: `age1...` or `ssh-ed25519 ...`. @throws Failure USAGE */
export async function encryptedArchive(
  { world }: LocalWorkspace,
  recipients: readonly string[],
  blocks: AsyncIterable<string>,
): Promise<AsyncIterable<Uint8Array>> {
  const age = await import('../adapters/age.js');
  const bytes = (async function* () {
    for await (const block of blocks) yield Buffer.from(block);
  })();
  return age.encryptedTo(recipients, bytes, world.random);
}

/**
 * The bytes of an archive, decrypted where they are encrypted. `identity` is a file with an age identity or an Ed25519 private key; null where none
 * was given. @throws Failure USAGE, NOT_FOUND, UNREADABLE
 */
export async function* openedWith(
  workspace: LocalWorkspace,
  identity: string | null,
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    yield* opened();
  } finally {
    // A file that is not read to its end is closed all the same.
    await chunks.return?.();
  }

  async function* opened(): AsyncGenerator<Uint8Array> {
    let first = Buffer.alloc(0);
    let done = false;
    // The chunk is valid until the next is asked for.
    while (!done && first.length < START.length) {
      const next = await chunks.next();
      if (next.done === true) done = true;
      else first = Buffer.concat([first, next.value]);
    }
    const rest = (async function* () {
      if (first.length > 0) yield first;
      for (
        let next = done ? null : await chunks.next();
        next !== null && next.done !== true;
        next = await chunks.next()
      )
        yield next.value;
    })();
    if (!first.subarray(0, START.length).equals(START)) {
      yield* rest;
      return;
    }
    if (identity === null) {
      throw new Failure('USAGE', `${name} is encrypted in the age format.`, {
        hint: `aip logs verify --file ${name} --identity <the key file of a recipient>`,
      });
    }
    const { decryptedWith } = await import('../adapters/age.js');
    yield* decryptedWith(await identitiesIn(workspace, identity), rest, name);
  }
}

/** How every file in the age format begins. */
const START = Buffer.from('age-encryption.org/v1\n');

async function identitiesIn(workspace: LocalWorkspace, path: string): Promise<ArchiveIdentity[]> {
  const text = await secretFile(workspace, path, MAX_IDENTITY_BYTES);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const own = lines.filter((line) => /^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/.test(line));
  if (own.length > 0) return own.map((age) => ({ age }));
  return [{ seed: await (await pemFiles(workspace, {})).take(path, text) }];
}

const MAX_IDENTITY_BYTES = 64 * 1024;
