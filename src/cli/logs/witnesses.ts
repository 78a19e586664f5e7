/** Witnesses that a command names, and their cosignatures. */
import { cosigned, type AskWitness } from '../../app/proof/witness.js';
import type { NoteSigner, signTree } from '../../app/proof/checkpoint.js';
import { Failure } from '../../app/failure.js';
import { meshWitnessKey } from '../../mesh/log/tree-witness.js';
import { readPublicKey } from '../../protocol/identity/public-key-forms.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { readNote, readWitnessKey, writeNote, type Note, type NoteKey } from '../../protocol/transparency/note.js';
import { askWitness } from '../../workspace/witness.js';
import type { LocalState } from '../../workspace/state.js';
import { seenByMesh } from './mesh-word.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';
import type { OptionSpec } from '../spec.js';

/** As `signTree` gives it. */
type SignedTree = ReturnType<typeof signTree>;

export interface WitnessFlags {
  readonly witness: readonly string[];
  readonly witnessKey: readonly string[];
}

export const WITNESS_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--witness <url>',
    description: 'have a C2SP witness cosign it; it refuses a log that was cut or written anew',
    repeatable: true,
  },
  {
    flags: '--witness-key <key>',
    description: 'the key that this witness has to sign with: <name>+<hash>+<key>, in the order of --witness',
    repeatable: true,
  },
];

/**
 * The checkpoint with the line of the mesh, where this machine belongs to one, and of all witnesses in their order; `key` is the verifier's,
 * which signed it. @throws Failure NETWORK, THRESHOLD, USAGE
 */
export async function withWitnesses(
  cli: Setting & Notices & Surroundings,
  state: Pick<LocalState, 'logId' | 'tree'>,
  signed: SignedTree,
  key: Pick<NoteSigner, 'publicKey'>,
  { witness, witnessKey }: WitnessFlags,
): Promise<Note> {
  if (witnessKey.length > witness.length) {
    throw new Failure('USAGE', 'There are more keys of witnesses than witnesses.', {
      hint: '--witness <url> --witness-key <key>',
    });
  }
  const keys = witnessKey.map(keyIn);
  const config = await cli.config();
  const ask: AskWitness = askWitness(cli.workspace, config.get('mesh.ca'));
  const seen = await seenByMesh(cli, state, signed, key);
  let note = seen === null ? signed.note : { ...signed.note, signatures: [...signed.note.signatures, seen.line] };
  for (const [i, url] of witness.entries())
    note = {
      ...note,
      signatures: [
        ...note.signatures,
        ...(await cosigned(state, signed, { url, key: keys[i] ?? null }, ask)).signatures.slice(1),
      ],
    };
  requireReadable(note);
  return note;
}

/** Witnesses wrote lines of it, and its readers take no more than a note may hold. @throws Failure NETWORK */
function requireReadable(note: Note): void {
  try {
    readNote(writeNote(note));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('NETWORK', `With what the witnesses answered it is no checkpoint: ${error.reason}.`, {
      hint: 'leave out one --witness after the other, or name the key of each: --witness-key',
    });
  }
}

/** The mesh that this machine has joined, as a witness; null where its key is not pinned. */
export async function pinnedMeshWitness({ config }: Pick<Setting, 'config'>): Promise<NoteKey | null> {
  const text = (await config()).get('mesh.public_key');
  const reading = text === null ? null : readPublicKey(text);
  return reading?.kind === 'key' ? meshWitnessKey(reading.publicKey) : null;
}

function keyIn(text: string): NoteKey {
  try {
    return readWitnessKey(text);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('USAGE', `"${text.slice(0, 80)}" is no key of a witness: ${error.reason}.`, {
      hint: '--witness-key <name>+<8 hex digits>+<base64>',
    });
  }
}
