import { isAip1, VersionError } from '../../../protocol/aip1/envelope.js';
import { parseExact } from '../../../protocol/aip1/encoding/numbers.js';
import { JsonError, parseJson } from '../../../protocol/json/parse.js';
import { readIntent, type Intent } from '../../../protocol/intent.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import { formatSeconds } from '../../../protocol/time.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { clean, revealed, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

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
    const read = await decode(bytes, cli);
    if (read === null) return 0;
    if ('reason' in read) {
      const { code, reason, offset } = read;
      const at = offset === null ? '' : ` at byte ${offset}`;
      if (cli.globals.json) cli.json({ verified: false, well_formed: false, reason, offset });
      else cli.out(`${cli.paint.red(`MALFORMED ${code}`)} ${clean(reason)}${at}`);
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
      ['target', document.target === undefined ? '-' : revealed(document.target)],
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
    cli.note(`\nnext: aip intent verify ${clean(args[0]!)}`);
    return 0;
  },
};

interface Malformed {
  readonly code: string;
  readonly reason: string;
  readonly offset: number | null;
}

/** An intent; null when it was an envelope of AIP-1, which is shown by then. */
async function decode(bytes: Uint8Array, cli: Cli): Promise<Intent | Malformed | null> {
  let code = 'AIP-E100';
  try {
    // Which dialect it is does not hang on its numbers; a native intent holds none that is not exact.
    if (!isAip1(parseJson(bytes, Number))) return readIntent(parseJson(bytes));
    code = 'AIP-E103';
    const { showEnvelope } = await import('../../render/decision/envelope.js');
    showEnvelope(parseExact(bytes), cli);
    return null;
  } catch (error) {
    if (error instanceof JsonError) return { code, reason: error.reason, offset: error.offset };
    if (error instanceof ShapeError) return { code, reason: error.reason, offset: null };
    if (error instanceof VersionError) return { code: 'AIP-E104', reason: error.message, offset: null };
    throw error;
  }
}

function when(seconds: number): string {
  return seconds > 253_402_300_799 ? 'beyond the year 9999' : formatSeconds(seconds * 1000);
}
