import { JsonError, parseJson } from '../../protocol/json.js';
import { readIntent } from '../../protocol/intent.js';
import { ShapeError } from '../../protocol/shape.js';
import { formatSeconds } from '../../protocol/time.js';
import { readInput } from '../input.js';
import { clean, safeJson } from '../render/text.js';
import type { CommandSpec } from '../spec.js';

export const command: CommandSpec = {
  path: ['intent', 'inspect'],
  summary: 'Decode an intent without judging it',
  detail: 'Nothing it shows has been checked: anyone could have written it.',
  args: [{ name: 'file', description: 'intent file (- for stdin)', values: 'file' }],
  examples: [{ run: 'aip intent inspect intent.json', why: 'look before asking a verifier' }],
  exits: { 3: 'the file does not exist', 10: 'the file holds no well-formed intent' },
  touches: ['files'],
  topics: ['intents'],

  async run({ args }, cli) {
    const bytes = await readInput(args[0]!, cli);
    const read = decode(bytes);
    if ('reason' in read) {
      const at = read.offset === null ? '' : ` at byte ${read.offset}`;
      if (cli.globals.json) cli.json({ verified: false, well_formed: false, reason: read.reason, offset: read.offset });
      else cli.out(`${cli.paint.red('MALFORMED AIP-E100')} ${clean(read.reason)}${at}`);
      return 10;
    }
    const { document, hash, signedBytes } = read;
    if (cli.globals.json) {
      const signed_bytes = Buffer.from(signedBytes).toString('utf8');
      cli.json({
        verified: false,
        well_formed: true,
        dialect: 'native',
        intent: document,
        intent_hash: hash,
        signed_bytes,
      });
      return 0;
    }
    const age = Math.round(cli.io.now() / 1000 - document.timestamp);
    const rows: [string, string][] = [
      ['agent', document.agent_id],
      ['action', document.action],
      ['target', document.target ?? '-'],
      [
        'timestamp',
        `${document.timestamp}  ${when(document.timestamp)}, ${age < 0 ? `${-age} s ahead` : `${age} s ago`}`,
      ],
      ['nonce', document.nonce],
      ['key', document.key_id ?? "the passport's current key"],
      ['signature', document.signature],
      ['hash', hash],
    ];
    cli.out(`${cli.paint.yellow('NOT VERIFIED')} native intent, decoded only`);
    for (const [label, value] of rows) cli.out(`  ${cli.paint.dim(label.padEnd(9))}  ${clean(value)}`);
    cli.out(`  ${cli.paint.dim('params')}     ${clean(safeJson(document.params))}`);
    cli.note(`\nnext: aip intent verify ${args[0]!}`);
    return 0;
  },
};

function decode(bytes: Uint8Array): ReturnType<typeof readIntent> | { reason: string; offset: number | null } {
  try {
    return readIntent(parseJson(bytes));
  } catch (error) {
    if (error instanceof JsonError) return { reason: error.reason, offset: error.offset };
    if (error instanceof ShapeError) return { reason: error.reason, offset: null };
    throw error;
  }
}

function when(seconds: number): string {
  return seconds > 253_402_300_799 ? 'beyond the year 9999' : formatSeconds(seconds * 1000);
}
