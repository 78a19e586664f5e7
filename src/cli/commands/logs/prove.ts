import { proveEntry } from '../../../app/proof/prove.js';
import { replaceOutput } from '../../../workspace/files.js';
import { machineKey } from '../../../workspace/mesh.js';
import { localState } from '../../../workspace/state.js';
import { approvalsIn, type ApprovalFlags } from '../../intents/approvals.js';
import { readInput } from '../../input/documents.js';
import { pinnedMeshWitness, WITNESS_OPTIONS, withWitnesses, type WitnessFlags } from '../../logs/witnesses.js';
import { shellWord } from '../../../app/failure.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { noteSignatureHolds, readNote } from '../../../protocol/transparency/note.js';
import { clean } from '../../render/terminal/text.js';
import type { Setting } from '../../setting.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends WitnessFlags, ApprovalFlags {
  readonly out?: string;
  readonly intent?: string;
}

/** What of a bundle is named to the one who checks it. */
interface Proved {
  readonly passport: { readonly principal: string } | null;
  readonly principal_key: string | null;
  readonly approvals: readonly { readonly verifier?: string }[];
  readonly checkpoint: string;
}

export const command: CommandSpec<Options> = {
  path: ['logs', 'prove'],
  summary: 'Write a bundle that shows a stranger one action: who, what, within which limits, and when',
  detail:
    'It holds the signed intent, the passport, the approvals, the decision, and the path to a checkpoint that this verifier signs, and the mesh where this machine has joined one. Hand over its public key apart: aip doctor shows it.',
  args: [{ name: 'entry', description: 'number, intent hash or nonce' }],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '-o, --out <file>', description: 'write it to a file', values: 'file' },
        {
          flags: '--intent <file>',
          description: 'the document as it was sent, where the log masks or drops part of it',
          values: 'file',
        },
        {
          flags: '--approval <file>',
          description: 'an approval that was presented with the intent',
          repeatable: true,
          values: 'file',
        },
        ...WITNESS_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip logs prove 42 -o refund.proof.json', why: 'by number' },
    { run: 'aip logs prove sha256:4f... --intent intent.json -o refund.proof.json', why: 'where params are masked' },
  ],
  exits: {
    3: 'there is no such entry, or the tree is damaged',
    4: "the verifier's key can be read by others",
    5: 'a witness cannot be reached',
    15: 'the mesh or a witness has seen another history',
  },
  touches: ['state', 'files', 'network'],
  topics: ['proof', 'logs'],

  async run({ args, options }, cli) {
    const state = await localState(cli.workspace);
    const { key } = await machineKey(cli.workspace);
    const given = options.intent === undefined ? null : await readInput(options.intent, cli);
    const approvals = (await approvalsIn(options, cli)).map(({ approval }) => approval);
    const text = await proveEntry(state, args[0]!, { given, approvals }, key, (signed) =>
      withWitnesses(cli, state, signed, key, options),
    );
    if (options.out === undefined || options.out === '-') cli.out(text.trimEnd());
    else await replaceOutput(options.out, text);
    const { passport, principal_key: principalKey, approvals: shown, checkpoint } = JSON.parse(text) as Proved;
    // A verifier of the same fleet may have raised the request.
    const verifiers = new Set([key.publicKey, ...shown.flatMap(({ verifier }) => verifier ?? [])]);
    const keys = [
      ...(principalKey === null || passport === null ? [] : [`--principal-key ${passport.principal}=${principalKey}`]),
      ...[...verifiers].map((each) => `--verifier-key ${each}`),
      ...(await meshSaw(cli, checkpoint)),
    ];
    const file = options.out === undefined || options.out === '-' ? '<file>' : shellWord(options.out);
    cli.note(
      `A check needs these keys by another way than the bundle:\n  aip proof verify ${clean(file)} ${clean(keys.join(' '))}`,
    );
    return 0;
  },
};

/** The flag for the mesh's key, where the mesh has cosigned the checkpoint. */
async function meshSaw(cli: Setting, checkpoint: string): Promise<readonly string[]> {
  const mesh = await pinnedMeshWitness(cli);
  if (mesh === null || noteSignatureHolds(readNote(checkpoint), mesh) === null) return [];
  return [`--witness-key ${formatPublicKey(mesh.key.publicKey)}`];
}
