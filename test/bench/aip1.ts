/**
 * What verifying an AIP-1 envelope costs beside its signature: `npm run bench:aip1`. With AIP_TEST_PYTHON also beside the Python package.
 * Prints medians; ends with 1 when a limit is missed.
 */
import { createPublicKey, verify } from 'node:crypto';
import { sittingAt, judgedIn, RecordingMemory } from '../kit/verification/sitting.js';
import { toBase64url } from '../../src/protocol/aip1/encoding/base64.js';
import { readEnvelope } from '../../src/protocol/aip1/envelope.js';
import { parseExact } from '../../src/protocol/aip1/encoding/numbers.js';
import { documentText } from '../../src/protocol/aip1/sign.js';
import { verifyKeyOf } from '../../src/protocol/ed25519/verify.js';
import { fromHex } from '../../src/protocol/hex.js';
import { KEYS, signed } from '../kit/conformance/parts.js';
import { requireQuiet } from './baseline.js';

requireQuiet();
import { python, runPython } from '../kit/python/package.js';

const ROUNDS = Number(process.argv[2] ?? 31);
const EACH = 500;
const now = Date.now();
const issued = new Date(now - (now % 1000)).toISOString().replace('.000Z', 'Z');
const text = documentText(
  signed('bench', {
    issued_at: issued,
    'intent.target': '',
    'intent.parameters': { amount: 45.55 },
    'boundaries.allowed_actions': ['transfer_funds'],
  }),
);
const bytes = Buffer.from(text);
const raw = fromHex(KEYS.agent)!;
const publicKey = verifyKeyOf(raw)!;
const trusting = {
  passport: () => ({ status: 'unknown' as const }),
  pins: () => [],
  envelopes: {
    publicKey,
    sharedKey: () => null,
    mandate: () => ({ status: 'none' as const }),
    requireMandate: false,
    minTier: 0 as const,
    registry: null,
  },
};
const policy = { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null };

/** From bytes to decision, in memory. */
function whole(): boolean {
  const sitting = sittingAt(now, new RecordingMemory());
  return judgedIn(sitting, { bytes, source: null }, trusting, policy).judgement.decision.success;
}

const { signedBytes, proof } = readEnvelope(parseExact(bytes));
const key = createPublicKey({
  key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
  format: 'jwk',
});
const bare = (): boolean => verify(null, signedBytes, key, proof!);

/** A second, of one kind. */
function rate(work: () => boolean): number {
  const start = performance.now();
  for (let i = 0; i < EACH; i++) if (!work()) throw new Error('a good envelope was refused');
  return (EACH * 1000) / (performance.now() - start);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const shown = (value: number): string => Math.round(value).toLocaleString('en');
let missed = 0;

function limit(what: string, value: string, ok: boolean): void {
  if (!ok) missed += 1;
  console.log(`${ok ? 'ok    ' : 'MISSED'} ${what}: ${value}`);
}

for (let i = 0; i < 5; i++) (rate(whole), rate(bare));
const rates = { whole: [] as number[], bare: [] as number[], share: [] as number[] };
for (let i = 0; i < ROUNDS; i++) {
  // In turns, so that what else the machine does meets both alike.
  const [one, other] = [rate(whole), rate(bare)];
  rates.whole.push(one);
  rates.bare.push(other);
  rates.share.push(one / other);
}
const [mine, alone, share] = [median(rates.whole), median(rates.bare), median(rates.share)];
limit(
  `AIP-1 verification of ${bytes.length} bytes (80 % of a bare signature check)`,
  `${shown(mine)} a second, bare ${shown(alone)} (${(share * 100).toFixed(0)} %)`,
  share >= 0.8,
);
if (python !== undefined) {
  const task = { public_key: toBase64url(raw), envelope: text };
  const theirs: number[] = [];
  const ours: number[] = [];
  for (let i = 0; i < 3; i++) {
    const answer = runPython<{ rate: number; valid: boolean }>('rate.py', ['2'], task);
    if (!answer.valid) throw new Error('the package refuses the envelope');
    theirs.push(answer.rate);
    for (let j = 0; j < 5; j++) ours.push(rate(whole));
  }
  const [us, them] = [median(ours), median(theirs)];
  limit(
    'AIP-1 verification (2 times the Python package)',
    `${shown(us)} a second, Python ${shown(them)} (${(us / them).toFixed(1)} times)`,
    us >= 2 * them,
  );
}
process.exitCode = missed === 0 ? 0 : 1;
