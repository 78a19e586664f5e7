/** A witness written from C2SP tlog-witness and tlog-cosignature: it stands in for one where none is installed. */
import { sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import {
  cosignature,
  cosignedMessage,
  noteKeyText,
  noteSignatureHolds,
  readCheckpointText,
  readNote,
  readNoteKey,
  signatureLine,
} from '../../../src/protocol/transparency/note.js';
import { isConsistent } from '../../../src/protocol/transparency/tree.js';
import { privateKeyOf } from '../keyring/ed25519.js';

export interface Witness {
  readonly url: string;
  /** As people exchange it. */
  readonly key: string;
  /** What it saw last of a log. */
  readonly seen: Map<string, { size: number; root: Uint8Array }>;
}

/** `logs` are the note keys of the logs that it knows. */
export async function witness(name: string, logs: readonly string[], time = 1_771_424_625): Promise<Witness> {
  const seed = Buffer.alloc(32, name.length);
  const publicKey = publicKeyOf(seed);
  const secret = privateKeyOf(seed);
  const known = new Map(logs.map((text) => [readNoteKey(text).name, readNoteKey(text)]));
  const seen: Witness['seen'] = new Map();
  const answer = (body: string): { status: number; type?: string; text: string } => {
    const [head = '', ...rest] = body.split('\n\n');
    const [first = '', ...hashes] = head.split('\n');
    const old = /^old (\d+)$/.exec(first);
    if (old === null) return { status: 400, text: 'no old size' };
    const note = readNote(rest.join('\n\n'));
    const next = readCheckpointText(note.text);
    const key = known.get(next.origin);
    if (key === undefined) return { status: 404, text: 'unknown log' };
    if (noteSignatureHolds(note, key) === null) return { status: 403, text: 'not signed by a known key' };
    const last = seen.get(next.origin);
    if (Number(old[1]) > next.size) return { status: 400, text: 'old size is larger' };
    if (Number(old[1]) !== (last?.size ?? 0))
      return { status: 409, type: 'text/x.tlog.size', text: `${last?.size ?? 0}\n` };
    if (last !== undefined && last.size === next.size && !Buffer.from(last.root).equals(next.root))
      return { status: 409, type: 'text/x.tlog.size', text: `${last.size}\n` };
    if (
      last !== undefined &&
      !isConsistent(
        last,
        next,
        hashes.map((hash) => Buffer.from(hash, 'base64')),
      )
    )
      return { status: 422, text: 'not consistent' };
    seen.set(next.origin, { size: next.size, root: next.root });
    const signature = sign(null, cosignedMessage(note.text, time), secret);
    return { status: 200, text: signatureLine(cosignature(name, publicKey, time, signature)) };
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const right = request.method === 'POST' && request.url === '/w/add-checkpoint';
      const {
        status,
        type = 'text/plain',
        text,
      } = right ? answer(Buffer.concat(parts).toString()) : { status: 404, text: 'nothing here' };
      response.writeHead(status, { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/w`,
    key: noteKeyText(name, 'cosignature-v1', publicKey),
    seen,
  };
}
