/** A proof that is made while others log. */
import { expect, test } from 'vitest';
import { proveEntry, type ProvingLog } from '../../../src/app/proof/prove.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { formatTime } from '../../../src/protocol/time.js';
import { AGENT, draft, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const seed = new Uint8Array(32).fill(7);
const KEY = {
  publicKey: formatPublicKey(publicKeyOf(seed)),
  sign: (text: string) => toHex(signMessage(seed, Buffer.from(text))),
};

test('an outcome that comes just then is in the tree, or in the next proof', async () => {
  const path = statePath();
  const [one, other] = [openAt(path), openAt(path)];
  one.transact((ledger) => ledger.append(draft()));
  const ended = {
    timestamp: formatTime(T0),
    agent_id: AGENT,
    of: 1,
    status: 'ok',
    exit_code: 0,
    duration_ms: 1,
  } as const;
  const log = new Proxy(one, {
    get(target, name: keyof typeof one) {
      if (name === 'outcomesOf')
        other.transact((ledger) =>
          ledger.appendOutcome({ ...ended, result_hash: null, detail: null, claimed: true }, T0),
        );
      const value: unknown = target[name];
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  }) as ProvingLog;
  const bundle = JSON.parse(
    await proveEntry(log, '1', { given: null, approvals: [] }, KEY, async ({ note }) => note),
  ) as {
    readonly checkpoint: string;
    readonly outcome: { readonly entry: { readonly seq: number } };
  };
  expect(bundle.outcome.entry.seq).toBe(2);
  expect(bundle.checkpoint.split('\n')[1]).toBe('2');
});
