/** Witnesses that a command names, and their cosignatures. */
import { cosigned, type AskWitness } from '../../app/proof/witness.js';
import type { signTree } from '../../app/proof/checkpoint.js';
import { Failure } from '../../app/failure.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { readNoteKey, type Note, type NoteKey } from '../../protocol/transparency/note.js';
import { askWitness } from '../../workspace/witness.js';
import type { LocalState } from '../../workspace/state.js';
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

/** The checkpoint with the lines of all witnesses, in their order. @throws Failure NETWORK, THRESHOLD, USAGE */
export async function withWitnesses(
  cli: Setting,
  state: Pick<LocalState, 'tree'>,
  signed: SignedTree,
  { witness, witnessKey }: WitnessFlags,
): Promise<Note> {
  if (witnessKey.length > witness.length) {
    throw new Failure('USAGE', 'There are more keys of witnesses than witnesses.', {
      hint: '--witness <url> --witness-key <key>',
    });
  }
  const keys = witnessKey.map(keyIn);
  if (witness.length === 0) return signed.note;
  const config = await cli.config();
  const ask: AskWitness = askWitness(cli.workspace, config.get('mesh.ca'));
  let note = signed.note;
  for (const [i, url] of witness.entries())
    note = {
      ...note,
      signatures: [
        ...note.signatures,
        ...(await cosigned(state, signed, { url, key: keys[i] ?? null }, ask)).signatures.slice(1),
      ],
    };
  return note;
}

function keyIn(text: string): NoteKey {
  try {
    return readNoteKey(text);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('USAGE', `"${text.slice(0, 80)}" is no key of a witness: ${error.reason}.`, {
      hint: '--witness-key <name>+<8 hex digits>+<base64>',
    });
  }
}
