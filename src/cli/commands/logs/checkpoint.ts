import { counted } from '../../render/terminal/text.js';
import { checkAgainstStatements, signLogCheckpoint } from '../../../app/logs/checkpoint.js';
import { Failure } from '../../../app/failure.js';
import { noteText, signTree, withoutHole } from '../../../app/proof/checkpoint.js';
import { machineKey } from '../../../workspace/mesh.js';
import { logSigner, signerOptions, statementKeys, type SignerFlags } from '../../logs/signer.js';
import { WITNESS_OPTIONS, withWitnesses, type WitnessFlags } from '../../logs/witnesses.js';
import { FORCE_OPTION } from '../../input/options.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

interface Options extends SignerFlags, WitnessFlags {
  readonly out?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['logs', 'checkpoint'],
  summary: 'Sign where the verification log ends now, so that a cut-off end is found',
  detail:
    'A C2SP tlog-checkpoint, signed with the key of this verifier (aip doctor shows it), and cosigned by the mesh where this machine has joined one; with --principal a statement signed with that key instead. The log is checked first. Keep it on another machine: an intruder who cuts the log can delete the copy beside it.',
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '-o, --out <file>', description: 'write it to a file', values: 'file' },
        FORCE_OPTION,
        ...WITNESS_OPTIONS,
        ...signerOptions('sign a statement with the key of this principal instead'),
      ],
    },
  ],
  examples: [
    { run: 'aip logs checkpoint > checkpoint.txt', why: 'to keep elsewhere' },
    {
      run: 'aip logs checkpoint --witness https://witness.example/ -o checkpoint.txt',
      why: 'seen by somebody else as well',
    },
    { run: 'aip logs checkpoint --principal did:web:acme.com --out checkpoint.json', why: 'signed by the principal' },
  ],
  exits: {
    2: 'the file exists, without --force',
    3: 'the tree is damaged',
    4: 'the key store is missing, locked or refuses',
    5: 'a witness cannot be reached, or does not know the log',
    13: "the principal's key is denied",
    15: 'the chain is broken, or the mesh or a witness has seen another history: nothing was written',
  },
  touches: ['state', 'keychain', 'files', 'network'],
  topics: ['proof', 'logs', 'security'],

  async run({ options }, cli) {
    const state = await localState(cli.workspace);
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    const { check } = await checkAgainstStatements(state, { keys: await statementKeys(cli, []), given: [], pause });
    if (!check.ok) {
      throw new Failure(
        'THRESHOLD',
        `The chain is broken at entry ${check.seq}: ${check.reason}. Nothing was signed.`,
        {
          hint: 'aip logs verify',
        },
      );
    }
    const { text, said } = options.principal === undefined ? await asVerifier() : await asPrincipal(options.principal);
    if (options.out === undefined || options.out === '-') cli.out(text);
    else {
      const { createFile, FORCE, replaceFile } = await import('../../../workspace/files.js');
      // An older checkpoint is what finds a log that was cut since.
      await (options.force === true ? replaceFile : createFile)(options.out, `${text}\n`, FORCE);
      if (cli.globals.json) cli.out(text);
    }
    cli.note(`${cli.paintErr.green('ok')} ${said}`);
    return 0;

    async function asVerifier(): Promise<{ text: string; said: string }> {
      const { key } = await machineKey(cli.workspace);
      const { note, head } = withoutHole(() => signTree(state, key));
      if (head.size === 0) throw new Failure('USAGE', 'The log is empty: there is nothing to sign.');
      const seen = await withWitnesses(cli, state, { note, head }, key, options);
      const others = seen.signatures.length - note.signatures.length;
      const by = others === 0 ? '' : `, and cosigned ${others === 1 ? 'once' : `${others} times`}`;
      return {
        text: noteText(seen).trimEnd(),
        said: `${counted(head.size, 'entry is', 'entries are')} signed by ${key.publicKey}${by}`,
      };
    }

    async function asPrincipal(principal: string): Promise<{ text: string; said: string }> {
      if (options.witness.length > 0)
        throw new Failure('USAGE', "A witness cosigns what the verifier's own key signs.", {
          hint: 'leave out --principal',
        });
      const key = await logSigner(cli, { ...options, principal });
      const text = await signLogCheckpoint(state, key, cli.io.now());
      const { seq } = JSON.parse(text) as { seq: number };
      return { text, said: `entry ${seq} is signed by ${key.keyId}` };
    }
  },
};
