/** Keys behind a program: `cmd:`, and secrets that a program prints. One JSON line each way, described in `aip help keys`. */
import { Failure } from '../../../app/failure.js';
import { commandEnvironment, plainSecret, type Environment } from '../../../app/ports/secrets.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import { fromHex } from '../../../protocol/hex.js';
import { readPublicKey } from '../../../protocol/identity/public-key-forms.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { isObject, type JsonObject } from '../../../protocol/json/values.js';
import { runSubprocess, type SubprocessResult } from '../../process/subprocess.js';
import { MAX_KEY_FILE_BYTES, readPrivateKey } from '../file/private-key.js';
import { ANSWER_MS, unusableAnswer } from './checked.js';
import { base64Bytes } from './over-https.js';

const MAX_ANSWER = 64 * 1024;

/** A key that a program signs with. */
export async function programKey(
  env: Environment,
  [file, ...args]: readonly [string, ...string[]],
): Promise<SigningKey> {
  const own = commandEnvironment(env);
  const ask = async (question: JsonObject): Promise<JsonObject> => {
    const input = `${JSON.stringify({ version: 1, ...question })}\n`;
    const result = await runSubprocess(file, args, {
      env: own,
      input,
      timeoutMs: ANSWER_MS,
      maxOutputBytes: MAX_ANSWER,
    });
    const lines = textOf(file, result)
      .split('\n')
      .filter((line) => line.trim() !== '');
    const answer = lines.length === 1 ? jsonIn(lines[0]!) : null;
    if (answer === null) throw unusableAnswer(file, 'something that is not one line with a JSON object');
    if (typeof answer['error'] === 'string') {
      const said = answer['error'].replace(/[^\x20-\x7e]/g, '').slice(0, 200);
      throw new Failure('KEYSTORE_DENIED', `${file} refused: ${said}`);
    }
    return answer;
  };
  const { public_key: said } = await ask({ op: 'public_key' });
  const reading = readPublicKey(typeof said === 'string' ? said : '');
  if (reading.kind !== 'key') throw unusableAnswer(file, 'no Ed25519 public key');
  return {
    publicKey: reading.publicKey,
    async sign(message) {
      const { signature } = await ask({ op: 'sign', message: Buffer.from(message).toString('base64') });
      const bytes = typeof signature === 'string' ? (fromHex(signature) ?? base64Bytes(signature)) : null;
      if (bytes === null) throw unusableAnswer(file, 'no signature');
      return bytes;
    },
  };
}

/** The seed in what a shell command prints, such as `op read op://vault/item/key`. Nothing of it is kept or quoted. */
export async function printedSeed(env: Environment, command: string): Promise<Uint8Array> {
  const result = await runSubprocess(command, [], {
    shell: true,
    env: commandEnvironment(env),
    timeoutMs: ANSWER_MS,
    maxOutputBytes: MAX_KEY_FILE_BYTES,
  });
  const printed = plainSecret(textOf('The key command', result), 'what the key command prints');
  try {
    const key = readPrivateKey(printed);
    if (!key.encrypted) return key.seed;
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    throw new Failure(cause.code, `The output of the key command: ${cause.message}`, { hint: cause.hint! });
  }
  throw new Failure('UNREADABLE', 'The key command prints a key that is encrypted.', { hint: 'aip key import <file>' });
}

function textOf(name: string, result: SubprocessResult): string {
  switch (result.kind) {
    case 'timeout':
      throw new Failure('KEYSTORE_TIMEOUT', `${name} did not answer within 5 s.`, {
        hint: 'run it by hand: it gets one line on stdin, and answers one (aip help keys)',
        retryable: true,
      });
    case 'overflow':
      throw unusableAnswer(name, `more than ${MAX_ANSWER} bytes`);
    case 'unstarted':
      throw new Failure('KEYSTORE_MISSING', `${name} cannot be started (${result.reason}).`, {
        hint: 'give its whole path, and have it executable: cmd:/usr/local/bin/<program>',
      });
    case 'exited':
      if (result.code === 0) return result.stdout;
      throw new Failure('KEYSTORE_DENIED', `${name} ended with ${result.code ?? result.signal ?? 'no code'}.`, {
        hint: 'run it by hand: what it says goes to no log here',
      });
  }
}

function jsonIn(line: string): JsonObject | null {
  try {
    const json = parseJsonText(line);
    return isObject(json) ? json : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}
