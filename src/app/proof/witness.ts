/**
 * Cosignatures of witnesses (C2SP tlog-witness, tlog-cosignature v1). A witness signs that it has seen a checkpoint, and never one of a log that was
 * written anew: it asks for the proof that the tree it saw last is the beginning of this one.
 */
import { ShapeError } from '../../protocol/json/shape.js';
import {
  noteSignatureHolds,
  readNote,
  writeNote,
  type Note,
  type NoteKey,
  type TreeHead,
} from '../../protocol/transparency/note.js';
import { consistencyProof } from '../../protocol/transparency/tree.js';
import { Failure } from '../failure.js';
import { withoutHole, type TreeLog } from './checkpoint.js';

/** What a witness answered. */
export interface WitnessAnswer {
  readonly status: number;
  /** Of `Content-Type`, in lower case, without parameters. */
  readonly type: string;
  readonly body: string;
}

/** Posts to `<url>/add-checkpoint`. @throws Failure NETWORK where no answer comes */
export type AskWitness = (url: string, body: string) => Promise<WitnessAnswer>;

/** How often a witness may name another tree that it saw last: others may be asking at the same time. */
const ROUNDS = 3;
const SIZE_TYPE = 'text/x.tlog.size';

/** The note with the line of the witness; where its key is named, only if that key signed it. @throws Failure NETWORK, THRESHOLD */
export async function cosigned(
  log: Pick<TreeLog, 'tree'>,
  { note, head }: { readonly note: Note; readonly head: TreeHead },
  { url, key }: { readonly url: string; readonly key: NoteKey | null },
  ask: AskWitness,
): Promise<Note> {
  let seen = 0;
  for (let round = 1; ; round++) {
    const answer = await ask(url, requestOf(log, note, head, seen));
    if (answer.status === 200) return withLines(note, answer.body, url, key);
    const size = answer.status === 409 && answer.type === SIZE_TYPE ? sizeIn(answer.body) : null;
    if (size === null || size === seen) throw refusal(url, answer);
    if (size > head.size && size > log.tree().size) {
      throw new Failure(
        'THRESHOLD',
        `The witness ${url} has seen ${size} entries of this log, and it has ${head.size} now: its end was cut off, or an older copy is in its place.`,
        { hint: 'keep a copy of the state file, and find out what happened before anything is trusted' },
      );
    }
    // The log goes on while it is asked, and another process of this machine may have been faster.
    if (size > head.size || round === ROUNDS) throw overtaken(url, size);
    seen = size;
  }
}

function requestOf(log: Pick<TreeLog, 'tree'>, note: Note, { size }: TreeHead, seen: number): string {
  const lines = withoutHole(() => proofSince(log, seen, size)).map((hash) => `${hash}\n`);
  return `old ${seen}\n${lines.join('')}\n${writeNote(note)}`;
}

/** The proof that the tree of `size` entries begins with what a witness has seen, in base64. */
export function proofSince(log: Pick<TreeLog, 'tree'>, seen: number, size: number): readonly string[] {
  const path = seen === 0 || seen >= size ? [] : consistencyProof(seen, size, log.tree().nodes);
  return path.map((hash) => Buffer.from(hash).toString('base64'));
}

function sizeIn(body: string): number | null {
  const match = /^(0|[1-9]\d{0,14})\n$/.exec(body);
  return match === null ? null : Number(match[1]);
}

function withLines(note: Note, lines: string, url: string, key: NoteKey | null): Note {
  let read: Note;
  try {
    read = readNote(`${note.text}\n${lines}`);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('NETWORK', `The witness ${url} answered with something that is no cosignature.`);
  }
  const believed = read.signatures.filter(
    (each) => key === null || noteSignatureHolds({ text: note.text, signatures: [each] }, key) !== null,
  );
  if (believed.length === 0) {
    throw new Failure('THRESHOLD', `What ${url} answered is not signed by the witness ${key!.name}.`, {
      hint: 'compare the key with what the witness publishes',
    });
  }
  const signatures = [...note.signatures, ...believed];
  return { text: note.text, signatures };
}

function overtaken(url: string, size: number): Failure {
  return new Failure(
    'NETWORK',
    `The witness ${url} has seen ${size} entries of this log by now: others ask it as well.`,
    {
      hint: 'run it again',
      retryable: true,
    },
  );
}

function refusal(url: string, { status, body }: WitnessAnswer): Failure {
  const said = body.trim().split('\n')[0]?.slice(0, 160) ?? '';
  switch (status) {
    case 404:
      return new Failure('NETWORK', `The witness ${url} does not know this log.`, {
        hint: 'have its operator add the log: its origin, and the key that aip doctor shows',
      });
    case 403:
      return new Failure('NETWORK', `The witness ${url} knows this log under another key.`, { hint: 'aip doctor' });
    case 409:
    case 422:
      return new Failure(
        'THRESHOLD',
        `The witness ${url} has seen another history of this log: ${said || 'it was written anew'}.`,
        {
          hint: 'keep a copy of the state file: aip logs verify --checkpoint <one that was kept>',
        },
      );
    default:
      return new Failure('NETWORK', `The witness ${url} answered ${status}${said === '' ? '' : `: ${said}`}.`, {
        retryable: status >= 500 || status === 429,
      });
  }
}
