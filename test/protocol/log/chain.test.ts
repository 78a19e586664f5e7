import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { entryHash, GENESIS, START, verifyChain, type Link } from '../../../src/protocol/log/chain.js';
import { seal } from '../../kit/state/sealed.js';
import { seal as sealWith } from '../../../src/protocol/log/chain.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { erase, leafText } from '../../../src/protocol/log/leaf.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import { draft, refused } from '../../kit/state/drafts.js';

function chain(length: number, after: Link = START): Entry[] {
  const entries: Entry[] = [];
  for (let i = 0; i < length; i++) {
    entries.push(seal(i % 3 === 2 ? refused('AIP-E202') : draft({ latency_us: i }), 'v1', entries.at(-1) ?? after));
  }
  return entries;
}

const linkOf = ({ seq, hash }: Entry): Link => ({ seq, hash });
const whole = chain(10);
const head = linkOf(whole[9]!);

/** The chain that someone makes who rewrites entry `seq` and everything after it consistently. */
function rewritten(seq: number): Entry[] {
  const entries = whole.slice(0, seq - 1);
  for (const { hash: _hash, prev_hash: _prev, seq: n, verifier, ...rest } of whole.slice(seq - 1)) {
    entries.push(seal(n === seq ? { ...rest, latency_us: 999 } : rest, verifier, entries.at(-1) ?? START));
  }
  return entries;
}

/** As the first version wrote it; its hash was worked out in Python, with json.dumps(sort_keys) and hashlib: the format is fixed for good. */
const FIRST = {
  seq: 1,
  timestamp: '2026-02-18T14:23:45.000Z',
  agent_id: 'did:web:acme.com:agents:support-agent-v1',
  action: 'issue_refund',
  params: { order_id: '8472', amount: 50 },
  status: 'success',
  error_code: null,
  error_message: null,
  details: null,
  nonce: '8f7a3c'.padEnd(32, '0'),
  signature: 'd4'.repeat(64),
  intent_hash: `sha256:${'ab'.repeat(32)}`,
  dialect: 'native',
  verifier: 'v1',
  latency_us: 0,
  prev_hash: GENESIS,
  hash: '585e2eb7c07ea7eeb56b21e9d7df65829f65ee178bf419943c6e90350c5aefb1',
} as unknown as Entry;
const LATER = { type: 'verification', target: null, salts: null, withheld: null, erased: null, key_id: null } as const;

describe('an entry of the first version', () => {
  test('has the hash that it will always have, also with the members that came later', () => {
    expect(entryHash(FIRST)).toBe(FIRST.hash);
    expect(verifyChain([FIRST])).toMatchObject({ ok: true, count: 1 });
    expect(verifyChain([{ ...FIRST, ...LATER }])).toMatchObject({ ok: true, count: 1 });
  });
  test.each([{ target: 'x' }, { key_id: 'x' }, { type: 'outcome' }, { passport_serial: 0 }, { extra: 1 }])(
    'is not whole with %j, which no hash covers',
    (more) => {
      expect(verifyChain([{ ...FIRST, ...LATER, ...more } as Entry])).toMatchObject({ ok: false, seq: 1 });
    },
  );
});

describe('an entry in the chain', () => {
  test('is hashed over its leaf without the hash', () => {
    const {
      hash,
      salts,
      erased: _,
      details,
      error_message,
      intent_hash,
      nonce,
      params,
      signature,
      target,
      ...rest
    } = whole[0]!;
    const values = { intent_hash, nonce, params, signature };
    const salt = (i: number): Buffer => Buffer.from(salts!, 'base64').subarray(32 * i, 32 * (i + 1));
    const commit = (i: number, value: Json): string =>
      sha256Hex(Buffer.concat([salt(i), Buffer.from(canonicalize(value))]));
    const commitments = {
      intent_hash: commit(0, values.intent_hash),
      nonce: commit(1, values.nonce),
      params: { amount: commit(2, 50), order_id: commit(3, '8472') },
      signature: commit(4, values.signature),
    };
    expect([details, error_message, target]).toEqual([null, null, null]);
    expect(Buffer.from(salts!, 'base64')).toHaveLength(5 * 32);
    expect(hash).toBe(sha256Hex(canonicalize({ ...rest, commitments })));
    expect(leafText(whole[0]!)).toBe(canonicalize({ ...rest, commitments, hash }));
    expect(entryHash(whole[0]!)).toBe(hash);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('commits to what was sent where the log shows something else', () => {
    const random = (n: number): Buffer => Buffer.alloc(n, 7);
    const sent = { amount: 50, token: 'secret', __proto__: null } as unknown as JsonObject;
    const masked = draft({ params: { amount: 50, token: '[masked]' } });
    const { entry } = sealWith(masked, sent, 'v1', START, random);
    expect(entry.withheld).toEqual({ token: sha256Hex(Buffer.concat([random(32), Buffer.from('"secret"')])) });
    expect(verifyChain([entry])).toMatchObject({ ok: true });
    expect(verifyChain([{ ...entry, withheld: { token: '0'.repeat(64) } }])).toMatchObject({ ok: false });
    expect(verifyChain([{ ...entry, withheld: null }])).toMatchObject({ ok: false });
    const none = sealWith(draft({ params: null }), { a: 1, b: 2 }, 'v1', START, random).entry;
    expect(Object.keys(none.withheld!)).toEqual(['a', 'b']);
    expect(verifyChain([none])).toMatchObject({ ok: true });
  });

  test('stays whole when a value and its salt are taken away, and only then', () => {
    const entry = whole[0]!;
    const gone = erase(entry, ['params.order_id', 'nonce', 'signature', 'intent_hash']);
    expect([gone.params, gone.nonce, gone.signature, gone.intent_hash]).toEqual([{ amount: 50 }, null, null, null]);
    expect(JSON.stringify(gone)).not.toContain('8472');
    expect(verifyChain([gone, ...whole.slice(1)], { head })).toMatchObject({ ok: true, count: 10 });
    expect(leafText(gone)).toBe(leafText(entry));
    const bad: Partial<Entry>[] = [
      { params: { amount: 51 } },
      { params: { amount: 50, order_id: '8472' } },
      { erased: null },
      { erased: { ...gone.erased, nonce: '0'.repeat(64) } },
      { erased: { ...gone.erased, details: '0'.repeat(64) } },
      { salts: entry.salts },
      { salts: '' },
      { salts: `${gone.salts} ` },
    ];
    for (const change of bad) expect(verifyChain([{ ...gone, ...change }])).toMatchObject({ ok: false, seq: 1 });
  });

  test('begins at genesis and names the one before it', () => {
    expect(whole[0]).toMatchObject({ seq: 1, prev_hash: GENESIS, verifier: 'v1' });
    expect(whole[1]).toMatchObject({ seq: 2, prev_hash: whole[0]!.hash });
  });

  test('is refused when it has no canonical form', () => {
    expect(() => seal(draft({ action: '\ud800' }), 'v1', START)).toThrow(TypeError);
    expect(() => seal(draft({ latency_us: Number.NaN }), 'v1', START)).toThrow(TypeError);
  });
});

describe('a whole chain', () => {
  test('verifies, empty, short, and from where it was pruned', () => {
    expect(verifyChain([])).toEqual({ ok: true, head: START, count: 0 });
    expect(verifyChain(whole, { head })).toEqual({ ok: true, head, count: 10 });
    const after = linkOf(whole[3]!);
    expect(verifyChain(whole.slice(4), { after, head })).toEqual({ ok: true, head, count: 6 });
  });

  test('agrees with checkpoints inside it, at its ends, and before what was pruned', () => {
    const checkpoints = [linkOf(whole[1]!), linkOf(whole[4]!), head];
    expect(verifyChain(whole, { checkpoints })).toMatchObject({ ok: true });
    expect(verifyChain(whole.slice(4), { after: linkOf(whole[3]!), checkpoints })).toMatchObject({ ok: true });
  });
});

describe('a broken chain', () => {
  const changes: Record<string, Partial<Entry>> = {
    action: { action: 'send_email' },
    agent_id: { agent_id: 'did:web:acme.com:agents:other' },
    details: { details: {} },
    dialect: { dialect: 'aip-1' },
    error_code: { error_code: 'AIP-E201' },
    error_message: { error_message: 'x' },
    hash: { hash: '0'.repeat(64) },
    intent_hash: { intent_hash: null },
    latency_us: { latency_us: 1_000_000 },
    nonce: { nonce: null },
    params: { params: { order_id: '8472', amount: 51 } },
    prev_hash: { prev_hash: GENESIS },
    signature: { signature: null },
    status: { status: 'failed' },
    timestamp: { timestamp: '2026-02-18T14:23:45.001Z' },
    verifier: { verifier: 'v2' },
  };
  test.each(Object.entries(changes))('is found where %s was changed', (_name, change) => {
    const entries = whole.map((entry) => (entry.seq === 5 ? { ...entry, ...change } : entry));
    expect(verifyChain(entries, { head })).toMatchObject({ ok: false, seq: 5 });
  });

  test('is found where an entry was changed and hashed anew: at the next one', () => {
    const entries = whole.map((entry) => {
      const changed = { ...entry, latency_us: 999 };
      return entry.seq === 5 ? { ...changed, hash: entryHash(changed) } : entry;
    });
    expect(verifyChain(entries)).toMatchObject({ ok: false, seq: 6 });
  });

  test('is found where an entry is missing, whichever it is', () => {
    for (const { seq } of whole) {
      expect(
        verifyChain(
          whole.filter((entry) => entry.seq !== seq),
          { head },
        ),
      ).toMatchObject({ ok: false, seq });
    }
  });

  test('is found where entries were reordered, doubled or put in', () => {
    const swapped = whole.toSpliced(3, 2, whole[4]!, whole[3]!);
    expect(verifyChain(swapped, { head })).toMatchObject({ ok: false, seq: 4 });
    expect(verifyChain(whole.toSpliced(3, 0, whole[3]!), { head })).toMatchObject({ ok: false, seq: 5 });
    const strange = seal(draft(), 'v1', linkOf(whole[3]!));
    expect(verifyChain(whole.toSpliced(4, 1, strange), { head })).toMatchObject({ ok: false, seq: 6 });
  });

  test('is found where its end was cut off, given the head', () => {
    for (let length = 0; length < 10; length++) {
      const cut = whole.slice(0, length);
      expect(verifyChain(cut)).toMatchObject({ ok: true, count: length });
      expect(verifyChain(cut, { head })).toMatchObject({ ok: false, seq: length + 1 });
      expect(verifyChain(cut, { checkpoints: [head] })).toMatchObject({ ok: false, seq: length + 1 });
    }
  });

  test('is found where something was added after the head', () => {
    expect(verifyChain(chain(11), { head })).toMatchObject({ ok: false, seq: 11 });
  });

  test('is found by a checkpoint or the head where it was rewritten to its end', () => {
    const forged = rewritten(5);
    expect(verifyChain(forged)).toMatchObject({ ok: true, count: 10 });
    expect(verifyChain(forged, { head })).toMatchObject({ ok: false, seq: 10 });
    expect(verifyChain(forged, { checkpoints: [linkOf(whole[6]!)] })).toMatchObject({ ok: false, seq: 7 });
    expect(verifyChain(forged, { checkpoints: [linkOf(whole[2]!)] })).toMatchObject({ ok: true });
    expect(verifyChain(forged, { checkpoints: [linkOf(forged[6]!), linkOf(whole[6]!)] })).toMatchObject({
      ok: false,
      seq: 7,
    });
  });

  test('is found where it does not go on from where it was pruned', () => {
    const after = linkOf(whole[3]!);
    expect(verifyChain(whole.slice(5), { after })).toMatchObject({ ok: false, seq: 5 });
    expect(verifyChain(whole.slice(4), { after: { ...after, hash: GENESIS } })).toMatchObject({ ok: false, seq: 5 });
    expect(verifyChain(whole.slice(4))).toMatchObject({ ok: false, seq: 1 });
    const checkpoints = [{ seq: 4, hash: GENESIS }];
    expect(verifyChain(whole.slice(4), { after, checkpoints })).toMatchObject({ ok: false, seq: 4 });
  });

  test('is found where an entry holds what cannot be hashed', () => {
    const entries = whole.map((entry) => (entry.seq === 5 ? { ...entry, latency_us: Number.NaN } : entry));
    expect(verifyChain(entries)).toMatchObject({ ok: false, seq: 5 });
  });

  test('is read no further than its first bad place', () => {
    function* entries(): Generator<Entry> {
      yield whole[0]!;
      yield whole[2]!;
      throw new Error('read on');
    }
    expect(verifyChain(entries())).toMatchObject({ ok: false, seq: 2 });
  });

  test('is found after any one change of any kind', () => {
    const edit = fc.record({
      at: fc.nat(9),
      kind: fc.constantFrom('drop', 'swap', 'double', 'text', 'number'),
      text: fc.string(),
    });
    fc.assert(
      fc.property(edit, ({ at, kind, text }) => {
        const entries = [...whole];
        const entry = entries[at]!;
        if (kind === 'drop') entries.splice(at, 1);
        if (kind === 'double') entries.splice(at, 0, entry);
        if (kind === 'swap') [entries[at], entries[(at + 1) % 10]] = [entries[(at + 1) % 10]!, entry];
        if (kind === 'text') entries[at] = { ...entry, action: `${text}!` };
        if (kind === 'number') entries[at] = { ...entry, latency_us: entry.latency_us + 1 };
        const report = verifyChain(entries, { head });
        return !report.ok && report.seq <= at + 2;
      }),
    );
  });
});
