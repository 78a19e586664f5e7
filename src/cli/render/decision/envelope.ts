import { readEnvelope } from '../../../protocol/aip1/envelope.js';
import { plainJson, type Value } from '../../../protocol/aip1/encoding/numbers.js';
import { formatTime } from '../../../protocol/time.js';
import { clean, revealed, safeJson } from '../terminal/text.js';
import type { Output } from '../../output.js';
import type { Surroundings } from '../../io.js';

/** Prints an envelope of AIP-1, decoded only. @throws ShapeError or VersionError when it is no envelope. */
export function showEnvelope(document: Value, cli: Output & Surroundings): void {
  const envelope = readEnvelope(document);
  const { agentId, principal, action, target, tier, issuedAt, expiresAt, entropy, proofText, hash } = envelope;
  if (cli.globals.json) {
    const signed_bytes = Buffer.from(envelope.signedBytes).toString('latin1');
    const intent = plainJson(document);
    cli.json({ verified: false, well_formed: true, dialect: 'aip-1', intent, intent_hash: hash, signed_bytes });
    return;
  }
  const left = Math.round((expiresAt - cli.io.now()) / 1000);
  const rows: [string, string][] = [
    ['agent', agentId],
    ['principal', principal],
    ['action', action],
    ['target', target === '' ? '-' : revealed(target)],
    ['tier', String(tier)],
    ['issued', formatTime(issuedAt)],
    ['expires', `${formatTime(expiresAt)}  ${left < 0 ? `${-left} s ago` : `in ${left} s`}`],
    ['nonce', entropy],
    ['proof', proofText],
    ['hash', hash],
  ];
  cli.out(`${cli.paint.yellow('NOT VERIFIED')} AIP-1 envelope, decoded only`);
  for (const [label, value] of rows) cli.out(`  ${cli.paint.dim(label.padEnd(10))}  ${clean(value)}`);
  cli.out(`  ${cli.paint.dim('params'.padEnd(10))}  ${clean(safeJson(envelope.parameters))}`);
  cli.out(`  ${cli.paint.dim('boundaries')}  ${clean(safeJson(plainJson(envelope.boundaries.document)))}`);
  cli.out(`${' '.repeat(14)}(the agent's own word: a passport or a mandate may allow less)`);
  cli.note('\nnext: aip intent verify <file> --public-key <key>');
}
