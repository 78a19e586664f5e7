/** What a command is given to read: files, stdin, JSON. Everything is bounded. */
import { Failure } from '../../app/failure.js';
import type { JsonBounds } from '../../protocol/json/bounds.js';
import { JsonError, parseJson, type LargeInteger } from '../../protocol/json/parse.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import type { Json } from '../../protocol/json/values.js';
import { readDocument } from '../../workspace/files.js';
import type { Notices } from '../output.js';
import { stdinOnce, type Surroundings } from '../io.js';
import { maskName } from '../../protocol/log/secret-text.js';

/** What these functions need of a command. */
type Scene = Notices & Surroundings;

/**
 * How long a pipe with what is to be judged may take to its end, in ms. A writer that waits for the verdict before it goes on could
 * otherwise show one document to the verifier and hand another to what runs after it.
 */
export const PIPE_MS = 10_000;

/** What is to be judged, in a file, a pipe or on stdin for `-`. Fails with UNREADABLE when a pipe does not end in time. */
export async function readForVerification(path: string, cli: Scene): Promise<Uint8Array> {
  if (path !== '-') return (await readDocument(path, PIPE_MS)) ?? readInput(path, cli);
  if (cli.io.stdin.isTTY === true) return readStdin(cli);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, PIPE_MS, lateFailure('stdin'));
  });
  try {
    return await Promise.race([readStdin(cli), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of a pipe, or of a line in one, that was begun and not ended in time. */
export function lateFailure(what: string): Failure {
  return new Failure(
    'UNREADABLE',
    `${what} did not come to its end within ${PIPE_MS / 1000} s; nothing of it was judged.`,
    {
      hint: 'close the writer, or give a stream with --ndjson',
    },
  );
}

/** All of stdin up to one byte past the document limit, so that the parser can refuse what is too long. */
async function readStdin(cli: Scene): Promise<Uint8Array> {
  const stdin = stdinOnce(cli.io);
  if (stdin.isTTY === true) cli.note('Reading from the terminal; end with Ctrl-D.');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes);
    length += bytes.length;
    if (length > MAX_DOCUMENT_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_DOCUMENT_BYTES + 1);
}

/** The bytes of a file, or of stdin for `-`. A file that is not there is a failure that names it. */
export async function readInput(path: string, cli: Scene): Promise<Uint8Array> {
  if (path === '-') return readStdin(cli);
  if (path === '') throw new Failure('USAGE', 'The name of a file is empty.', { hint: 'name a file, or - for stdin' });
  const bytes = await readDocument(path);
  if (bytes === null)
    throw new Failure('NOT_FOUND', `There is no file ${maskName(path)}.`, {
      hint: 'name a file that exists, or - for stdin',
    });
  return bytes;
}

/** Reads what may be a file: null when there is none; stdin for `-`. */
export function documentReader(cli: Scene): (path: string) => Promise<Uint8Array | null> {
  return (path) => (path === '-' ? readStdin(cli) : readDocument(path));
}

/** The JSON in a file or stdin, parsed strictly. */
export async function readJsonInput(path: string, cli: Scene): Promise<Json> {
  return jsonIn(await readInput(path, cli), path === '-' ? 'stdin' : path);
}

/**
 * The JSON in bytes of a command's own input, its large numbers as `large` says, within the bounds of a document unless others are given.
 * Fails with UNREADABLE, which names where it came from and the byte.
 */
export function jsonIn(bytes: Uint8Array, where: string, large: LargeInteger | null = null, bounds?: JsonBounds): Json {
  try {
    return parseJson(bytes, large, bounds);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${where} is not strict JSON: ${error.reason} at byte ${error.offset}.`);
  }
}
