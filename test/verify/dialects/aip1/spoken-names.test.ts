import { expect, test } from 'vitest';
import { verifyIntents } from '../../../../src/app/verification/intents.js';
import { verifyKeyOf } from '../../../../src/protocol/ed25519/verify.js';
import { fromHex } from '../../../../src/protocol/hex.js';
import { NO_ENVELOPE_TRUST } from '../../../../src/verify/dialects/aip1/trust.js';
import { KEYS, NOW, SEEDS, signed, text } from '../../../kit/conformance/parts.js';
import { writeStanding } from '../../../kit/native/standing.js';
import { VERIFY, verifierDeps } from '../../../kit/native/verifier.js';
import { openAt, statePath } from '../../../kit/state/temporary.js';

test('a key that has spoken under hundreds of names is stopped with each of them', async () => {
  const path = statePath();
  const state = openAt(path, () => NOW);
  const publicKey = verifyKeyOf(fromHex(KEYS.agent)!);
  const deps = verifierDeps({
    state,
    clock: () => NOW,
    pins: () => [],
    envelopes: { ...NO_ENVELOPE_TRUST, publicKey },
  });
  const speakAs = async (name: string) => {
    const document = signed(`spoken ${name}`, { 'agent.id': `did:web:localhost:agents:${name}` }, SEEDS.agent);
    return (await verifyIntents(deps, VERIFY, [{ bytes: text(document), source: null }]))[0]!.decision;
  };
  state.transact((ledger) => {
    for (let i = 0; i < 300; i++) ledger.addSpokenName(publicKey!.text, `did:web:localhost:agents:a${i}`);
  });
  expect(await speakAs('zoe')).toMatchObject({ success: true });
  const subject = 'did:web:localhost:agents:zoe';
  const changed_at = new Date(NOW).toISOString();
  writeStanding(path, [
    { subject, status: 'revoked', reason: 'lost', changed_at, changed_by: null, suspended_until: null },
  ]);
  expect(await speakAs('yves')).toMatchObject({ error_code: 'AIP-E400', details: { subject } });
});
