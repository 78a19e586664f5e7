import { readBundle } from '../../../app/proof/bundle.js';
import { checkProof } from '../../../app/proof/check.js';
import { proofVerdict, type ProofReport } from '../../../app/proof/report.js';
import { rejudging } from '../../../app/proof/rejudge.js';
import { readSent, type SentDocument } from '../../../app/proof/sent.js';
import { Failure } from '../../../app/failure.js';
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import { parsePublicKey } from '../../../protocol/identity/keys.js';
import { meshWitnessKey } from '../../../mesh/log/tree-witness.js';
import { pinnedMeshWitness } from '../../logs/witnesses.js';
import { readWitnessKey, type NoteKey } from '../../../protocol/transparency/note.js';
import { loadSchemaCheck } from '../../../workspace/verification.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { writePage } from '../../page-file.js';
import { namedPins } from '../../passports/pins.js';
import { clean, flowed, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly principalKey: readonly string[];
  readonly verifierKey: readonly string[];
  readonly witnessKey: readonly string[];
  readonly intent?: string;
  readonly html?: string;
}

export const command: CommandSpec<Options> = {
  path: ['proof', 'verify'],
  summary: 'Check a bundle of aip logs prove, on any machine, by the keys you name',
  detail:
    'Each step is ok, broken, or unproven without the key that would show it. 0 only when nothing is broken and nothing that a key was given for is unproven; who, what and limits are always asked for.',
  args: [{ name: 'bundle', description: 'bundle file (- for stdin)', values: 'file' }],
  options: [
    {
      title: 'Whose word counts',
      options: [
        { flags: '--principal-key <did=key>', description: "the principal's public key", repeatable: true },
        { flags: '--verifier-key <key>', description: "the verifier's public key", repeatable: true },
        {
          flags: '--witness-key <key>',
          description: 'who must have seen the log: <name>+<hash>+<key> of a witness, or ed25519:<key> of a mesh',
          repeatable: true,
        },
      ],
    },
    {
      title: 'Flags',
      options: [
        {
          flags: '--intent <file>',
          description: 'the document as it was sent, where the bundle lacks it',
          values: 'file',
        },
        { flags: '--html <file>', description: 'write a page for people', values: 'file' },
      ],
    },
  ],
  examples: [
    {
      run: 'aip proof verify refund.proof.json --principal-key did:web:acme.com=ed25519:4f...',
      why: 'who did what, within which limits',
    },
    { run: 'aip proof verify - --verifier-key ed25519:9a... --json < refund.proof.json', why: 'and who decided, when' },
  ],
  exits: {
    3: 'the bundle does not exist',
    10: 'who is broken or unproven',
    11: 'when',
    12: 'what, or the limits',
    13: 'the decision',
    15: 'the bundle was changed; where it is recorded, or who saw it',
  },
  touches: ['files'],
  onlyReads: true,
  topics: ['logs', 'security'],

  async run({ args, options }, cli) {
    const bytes = await readInput(args[0]!, cli);
    const pins = await namedPins(options.principalKey, cli);
    const verifiers: Uint8Array[] = [];
    for (const text of options.verifierKey)
      verifiers.push((await publicKeyFrom(text, 'The --verifier-key', cli)).publicKey);
    // A key that is named twice is one witness.
    const named = options.witnessKey.map(witness).map((key) => [`${key.name} ${key.key.text}`, key] as const);
    const witnesses = [...new Map(named).values()];
    const mesh = await pinnedMeshWitness(cli);
    const given =
      options.intent === undefined ? null : documentIn(await readInput(options.intent, cli), options.intent);
    let report: ProofReport;
    try {
      const bundle = readBundle(bytes);
      report = await checkProof(bundle, given, { pins, verifiers, witnesses, mesh }, rejudging(pins, loadSchemaCheck));
    } catch (error) {
      if (!(error instanceof JsonError) && !(error instanceof ShapeError)) throw error;
      throw new Failure('THRESHOLD', `This bundle is not whole: ${error.reason}.`, {
        hint: 'ask for it again: aip logs prove <entry> -o proof.json',
      });
    }
    if (options.html !== undefined) {
      const { renderProofPage } = await import('../../render/page/proof-html.js');
      await writePage(options.html, renderProofPage(report), cli);
    }
    if (options.html === '-') return report.exit_code;
    if (cli.globals.json) cli.json(report);
    else show(report, cli);
    return report.exit_code;
  },
};

function witness(text: string): NoteKey {
  const key = parsePublicKey(text.trim());
  const mesh = key === null ? null : meshWitnessKey(key);
  if (mesh !== null) return mesh;
  try {
    return readWitnessKey(text);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('USAGE', `The --witness-key cannot be read: ${error.reason}.`, {
      hint: '--witness-key <name>+<8 hex digits>+<base64>, or of a mesh: --witness-key ed25519:<64 hex digits>',
    });
  }
}

function documentIn(bytes: Uint8Array, name: string): SentDocument {
  const sent = readSent(bytes);
  if (sent !== null) return sent;
  throw new Failure('UNREADABLE', `${name} is no signed intent.`, { hint: 'aip intent inspect <file>' });
}

const MARKS = { ok: 'ok', broken: 'BROKEN', unproven: 'unproven' } as const;

function show(report: ProofReport, cli: Cli): void {
  const { paint } = cli;
  const colour = { ok: paint.green, broken: (text: string) => paint.red(paint.bold(text)), unproven: paint.yellow };
  const title = report.ok ? paint.green(paint.bold('PROVED')) : paint.red(paint.bold('NOT PROVED'));
  const refused = report.status === 'failed' ? `  ${paint.yellow(`refused: ${clean(report.error_code ?? '-')}`)}` : '';
  const target = report.target === null ? '' : ` on ${clean(report.target)}`;
  const say = (text: string): void => cli.out(flowed(text, cli.width));
  say(
    `${title} ${clean(report.agent_id ?? '-')}  ${clean(report.action ?? '-')}${target}  ${clean(safeJson(report.params))}${refused}`,
  );
  for (const { step, status, message } of report.steps)
    say(`  ${step.padEnd(9)} ${colour[status](MARKS[status].padEnd(8))}  ${clean(message)}`);
  for (const { approver, reason } of report.approved_by)
    if (reason !== null) say(`  ${clean(approver)} approved because: ${clean(reason)}`);
  const { state, said } = proofVerdict(report);
  say(state === 'ok' ? said : colour[state](said));
}
