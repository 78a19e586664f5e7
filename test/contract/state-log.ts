import { describe, expect, test } from 'vitest';
import type { EntryQuery, State } from '../../src/app/ports/state.js';
import { verifyChain } from '../../src/protocol/log/chain.js';
import { AGENT, draft, OTHER, refused, T0 } from '../kit/state/drafts.js';

/** What an implementation of the `State` port has to do with the verification log. */
export function logContract(name: string, open: () => State): void {
  describe(`${name}: the log`, () => {
    test('gives entries their number, verifier and links, and gives them back as they are', () => {
      const state = open();
      const drafts = [
        draft(),
        refused('AIP-E202', { at: T0 + 1, details: { requested: 10000.5, limit: 100, nested: [{ a: null }] } }),
        draft({ action: null, params: null, nonce: null, signature: null, intent_hash: null, dialect: 'aip-1' }),
        draft({ agent_id: '', action: '', params: {} }),
        draft({
          agent_id: 'a\0b',
          action: 'x\0y',
          error_code: '"quoted"',
          error_message: '\u202e\u0007',
          latency_us: 0,
        }),
        draft({ action: '"x', params: JSON.parse('{"__proto__": 1, "é": "\\u0000", "😀": -0.5}') }),
      ];
      const written = state.transact((ledger) => drafts.map((each) => ledger.append(each)));
      written.forEach((entry, i) => {
        expect(entry).toMatchObject({ ...drafts[i], seq: i + 1, verifier: state.verifier });
      });
      const entries = [...state.entries({})];
      expect(entries).toEqual(written);
      expect(JSON.stringify(entries[5]!.params)).toBe(JSON.stringify(drafts[5]!.params));
      expect(verifyChain(entries)).toEqual({ ok: true, head: { seq: 6, hash: written[5]!.hash }, count: 6 });
    });

    test('refuses a time that it could not give back', () => {
      const state = open();
      for (const timestamp of ['2026-02-18T14:23:45Z', '2026-02-30T00:00:00.000Z', 'now', '']) {
        expect(() => state.transact((ledger) => ledger.append(draft({ timestamp })))).toThrow(TypeError);
      }
      expect(() => state.transact((ledger) => ledger.append(draft({ action: '\udfff' })))).toThrow(TypeError);
      expect([...state.entries({})]).toEqual([]);
    });

    const queries: [string, EntryQuery, number[]][] = [
      ['nothing', {}, [1, 2, 3, 4, 5, 6, 7, 8]],
      ['the agent', { agentId: OTHER }, [2, 6]],
      ['an agent never seen', { agentId: 'did:web:acme.com:agents:nobody' }, []],
      ['the action', { action: 'send_email' }, [4, 8]],
      ['a part of an action', { action: 'send' }, []],
      ['success', { status: 'success' }, [1, 2, 4, 6, 8]],
      ['failure', { status: 'failed' }, [3, 5, 7]],
      ['the code', { code: 'AIP-E202' }, [3, 7]],
      ['a code never given', { code: 'AIP-E999' }, []],
      ['the start, inclusive', { since: T0 + 5 }, [5, 6, 7, 8]],
      ['the end, exclusive', { until: T0 + 3 }, [1, 2, 4]],
      ['both', { since: T0 + 2, until: T0 + 3 }, [2]],
      ['a start after everything', { since: T0 + 100 }, []],
      ['the place', { afterSeq: 6 }, [7, 8]],
      ['the last', { last: 2 }, [7, 8]],
      ['none of the last', { last: 0 }, []],
      ['more of the last than there are', { last: 100 }, [1, 2, 3, 4, 5, 6, 7, 8]],
      ['the last failures', { status: 'failed', last: 2 }, [5, 7]],
      ['the last of an agent', { agentId: OTHER, last: 1 }, [6]],
      ['the last after a place', { last: 5, afterSeq: 5 }, [6, 7, 8]],
      [
        'everything at once',
        {
          agentId: AGENT,
          action: 'issue_refund',
          status: 'failed',
          code: 'AIP-E202',
          since: T0 + 3,
          until: T0 + 8,
          afterSeq: 3,
          last: 1,
        },
        [7],
      ],
    ];
    test.each(queries)('is searched by %s', (_what, query, expected) => {
      const state = open();
      state.transact((ledger) => {
        ledger.append(draft({ at: T0 + 1 }));
        ledger.append(draft({ at: T0 + 2, agent_id: OTHER }));
        ledger.append(refused('AIP-E202', { at: T0 + 3 }));
        ledger.append(draft({ at: T0 + 1, action: 'send_email' })); // the clock went back
        ledger.append(refused('AIP-E301', { at: T0 + 5 }));
        ledger.append(draft({ at: T0 + 6, agent_id: OTHER }));
        ledger.append(refused('AIP-E202', { at: T0 + 7 }));
        ledger.append(draft({ at: T0 + 8, action: 'send_email' }));
      });
      expect([...state.entries(query)].map(({ seq }) => seq)).toEqual(expected);
    });

    test('is read in pages, as often as one likes, also while it grows', () => {
      const state = open();
      state.transact((ledger) => {
        for (let i = 0; i < 1000; i++) ledger.append(i % 2 === 0 ? draft() : refused('AIP-E202'));
      });
      const all = state.entries({});
      expect(verifyChain(all)).toMatchObject({ ok: true, count: 1000 });
      expect(verifyChain(all)).toMatchObject({ ok: true, count: 1000 });
      expect([...state.entries({ status: 'failed', last: 300 })].map(({ seq }) => seq)).toEqual(
        Array.from({ length: 300 }, (_, i) => 402 + 2 * i),
      );
      let seen = 0;
      for (const _ of state.entries({})) if (++seen === 5) state.transact((ledger) => ledger.append(draft()));
      expect(seen).toBe(1001);
    });
  });
}
