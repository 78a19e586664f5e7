/** The program of a worker: says of each signature of a task what `verifySignature` says of it. */
import { parentPort } from 'node:worker_threads';
import { verifyKeyOf, verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { SIGNATURE_BYTES, type Task } from './signature-task.js';

/** More keys than one stream has in use at once. */
const MOST_KEYS = 4096;

const port = parentPort!;
const known = new Map<string, VerifyKey>();

port.on('message', (task: Task) => port.postMessage(answersTo(task)));
// Says that it is ready.
port.postMessage(null);

function answersTo({ keys, keyOf, messages, ends, signatures }: Task): Uint8Array {
  const imported = keys.map(keyFor);
  const answers = new Uint8Array(ends.length);
  for (let i = 0; i < ends.length; i++) {
    const message = messages.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]);
    const signature = signatures.subarray(SIGNATURE_BYTES * i, SIGNATURE_BYTES * (i + 1));
    answers[i] = verifySignature(imported[keyOf[i]!]!, message, signature) ? 1 : 0;
  }
  return answers;
}

function keyFor(raw: Uint8Array): VerifyKey {
  const name = Buffer.from(raw).toString('latin1');
  let key = known.get(name);
  if (key === undefined) {
    const made = verifyKeyOf(raw);
    // The process that asks has imported it already. Ending leaves its questions open, which is no yes.
    if (made === null) throw new Error('a key that is none was sent to a worker');
    if (known.size >= MOST_KEYS) known.clear();
    known.set(name, (key = made));
  }
  return key;
}
