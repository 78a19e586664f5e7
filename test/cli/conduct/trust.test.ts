import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrustReport, TrustStep } from '../../../src/app/conduct/trust-score.js';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { inHome, writePast, type Past } from '../../kit/history.js';
import { AGENT, OTHER, T0 } from '../../kit/state/drafts.js';
import { world, type WorldOptions } from '../../kit/world.js';

const HOUR = 3_600_000;

function home(past: Past, options: WorldOptions = {}) {
  const at = world({ stdin: '', ...options });
  const dir = join(at.cwd, 'home');
  mkdirSync(dir, { recursive: true });
  writePast(dir, past);
  const trust = async (...args: string[]) => {
    const run = await at.run('trust', ...args, '--home', dir, '--json');
    return { ...run, report: JSON.parse(run.out || 'null') as TrustReport & { events?: TrustStep[] } };
  };
  return { at, dir, trust };
}

const PAST: Past = [
  { at: T0 - 10 * HOUR },
  { at: T0 - 10 * HOUR + 1000, error_code: 'AIP-E101' },
  { at: T0 - 7 * HOUR, error_code: 'AIP-E202' },
  { at: T0 - 6.5 * HOUR },
];

describe('aip trust', () => {
  test('tells the score with idle hours up to now', async () => {
    const { report, code } = await home(PAST).trust(AGENT);
    expect(code).toBe(0);
    // 0.5 + 0.01, 3 idle hours, - 0.05, + 0.01, 6 idle hours
    expect(report).toEqual({
      agent_id: AGENT,
      score: 0.461,
      model: 'guide',
      meaningful: false,
      verifications: 3,
      updated_at: '2026-02-18T07:53:45.000Z',
    });
  });

  test('--explain shows every event that moved it, and comes to the same digits', async () => {
    const { trust } = home(PAST);
    const { report } = await trust(AGENT, '--explain');
    const { events, ...rest } = report;
    expect(rest).toEqual((await trust(AGENT)).report);
    expect(events!.map(({ seq, kind, change, score, idle_hours }) => [seq, kind, change, score, idle_hours])).toEqual([
      [1, 'success', 0.01, 0.51, null],
      [3, 'decay', -0.003, 0.507, 3],
      [3, 'failure', -0.05, 0.457, null],
      [4, 'success', 0.01, 0.467, null],
      [null, 'decay', -0.006, 0.461, 6],
    ]);
    expect(events![2]).toMatchObject({ action: 'issue_refund', error_code: 'AIP-E202' });
  });

  test('is told to people with its steps', async () => {
    const { at, dir } = home(PAST);
    const { out } = await at.run('trust', AGENT, '--home', dir, '--explain');
    expect(out.split('\n')[0]).toBe('1\t2026-02-18T04:23:45.000Z\taccepted\tissue_refund\t+0.01\t0.51');
    expect(out).toContain('3 idle hours');
    expect(out).toContain(`0.461 ${AGENT}: 3 verifications, which means nothing before 10`);
  });

  test('follows config, also over entries that were written under other rules', async () => {
    const { trust } = home(PAST, { env: { AIP_TRUST_FAILURE_DECREMENT: '0.2', AIP_TRUST_TIME_DECAY_RATE: '0' } });
    expect((await trust(AGENT)).report.score).toBe(0.32);
    const rfc = home(PAST, { env: { AIP_TRUST_MODEL: 'aip-1' } });
    // 0.35 * 2/3 + 0.25 * 2/3 + 0.15 + 0.10 + 0.05 + 0.10 * 3/100
    expect((await rfc.trust(AGENT)).report).toMatchObject({ score: 0.703, model: 'aip-1' });
  });

  test('of an agent without a past is the initial score', async () => {
    const { report } = await home(PAST).trust(OTHER);
    expect(report).toMatchObject({ score: 0.5, meaningful: false, verifications: 0, updated_at: null });
    // Every mistyped name has that score as well.
    expect((await home(PAST).trust(AGENT)).err).toBe('');
    const { code, err } = await home(PAST).trust(`${AGENT}s`);
    expect([code, JSON.parse(err)]).toEqual([0, expect.objectContaining({ code: 'unknown_agent' })]);
  });

  test('says when what is kept is not what the log gives', async () => {
    const { at, dir, trust } = home(PAST);
    const database = new Database(join(dir, 'state.db'), 0);
    database.exec(`UPDATE trust_states SET state = replace(state, '"score":467000000', '"score":999000000')`);
    database.close();
    const { err, report } = await trust(AGENT, '--explain');
    expect(err).toContain('trust_mismatch');
    expect(report.score).toBe(0.461);
    expect((await at.run('trust', AGENT, '--home', dir)).out).toContain('0.993');
  });

  test.each([
    ['text', "state = 'nonsense'"],
    ['a number over 1', `state = replace(state, '"score":467000000', '"score":4670000000')`],
  ])('a damaged state of %s is a failure', async (_, change) => {
    const { dir, trust } = home(PAST);
    const database = new Database(join(dir, 'state.db'), 0);
    database.exec(`UPDATE trust_states SET ${change}`);
    database.close();
    expect((await trust(AGENT)).code).toBe(3);
  });

  test.each([
    [['nobody'], 3],
    [[], 2],
    [['./no.passport.json'], 3],
  ])('%j ends with %i', async (args, code) => {
    expect((await home([]).trust(...args)).code).toBe(code);
  });

  test('a threshold that nobody could keep is refused', async () => {
    const env = { AIP_TRUST_SUSPICIOUS_PATTERNS: '[{"type":"rapid_failures","threshold":1001,"window_seconds":1}]' };
    const { code, err } = await home([], { env }).trust(AGENT);
    expect([code, err]).toEqual([2, expect.stringContaining('threshold') as string]);
  });
});

describe('the score beside the log', () => {
  test('is that of the log, whoever wrote when under which rules', () => {
    const { dir } = home([]);
    const codes = [null, 'AIP-E202', null, 'AIP-E101', 'AIP-E301', null, 'AIP-E201'];
    for (let i = 0; i < 60; i++) {
      inHome(dir, (state) => {
        if (i % 3 === 0) state.conduct.judgeBy({ ...rulesOf(0.2), patterns: [] });
        state.transact((ledger) => {
          for (let n = 0; n <= i % 4; n++) {
            const code = codes[(i * 5 + n) % codes.length]!;
            const past = { at: T0 + i * HOUR + n, agent_id: n % 2 === 0 ? AGENT : OTHER };
            ledger.append({
              ...base(past.at),
              agent_id: past.agent_id,
              ...(code === null ? {} : { status: 'failed' as const, error_code: code }),
            });
          }
        });
      });
    }
    inHome(dir, (state) => {
      for (const rules of [null, { ...rulesOf(0.2), patterns: [] }, { ...rulesOf(0.01), model: 'aip-1' as const }]) {
        if (rules !== null) state.conduct.judgeBy(rules);
        for (const agent of [AGENT, OTHER]) {
          const now = T0 + 100 * HOUR;
          expect(state.conduct.trust(agent, now)).toEqual(state.conduct.retrace(agent, now, () => undefined));
        }
      }
    });
  });

  test('includes what the transaction has appended, and nothing that was rolled back', () => {
    const { dir } = home([]);
    inHome(dir, (state) => {
      state.rehearse((ledger) => {
        ledger.append(base(T0));
        expect(state.conduct.trust(AGENT, T0).score).toBe(0.51);
      });
      expect(state.conduct.trust(AGENT, T0).score).toBe(0.5);
      expect(state.conduct.counts(AGENT, null).counts.successful).toBe(0);
    });
  });
});

function rulesOf(successIncrement: number) {
  return {
    model: 'guide' as const,
    initialScore: 0.1,
    successIncrement,
    failureDecrement: 0.07,
    timeDecayRate: 0.002,
    minVerifications: 3,
    patterns: [{ type: 'unusual_actions' as const, threshold: 2, window_seconds: 60 }],
  };
}

function base(at: number) {
  return {
    timestamp: new Date(at).toISOString(),
    agent_id: AGENT,
    action: 'issue_refund',
    params: null,
    status: 'success' as const,
    error_code: null,
    error_message: null,
    details: null,
    nonce: null,
    signature: null,
    intent_hash: null,
    ...NO_PROOF,
    dialect: 'native' as const,
    latency_us: 1,
  };
}

describe('a verifier with a minimum', () => {
  async function refusing(minimum: string) {
    const at = world({
      stdin: '',
      env: { AIP_KEY_PASSPHRASE: 'correct horse battery', AIP_VERIFY_MIN_TRUST: minimum },
    });
    const dir = join(at.cwd, 'home');
    const run = (...args: string[]) => at.run(...args, '--home', dir);
    const flags = ['--domain', 'acme.com', '--action', 'issue_refund', '--key-store', 'file', '--out'];
    const passport = join(at.cwd, 'a.passport.json');
    expect((await run('passport', 'create', 'a', ...flags, passport)).code).toBe(0);
    let n = 0;
    const verify = async (action: string) => {
      const intent = join(at.cwd, `intent-${n++}.json`);
      await run('intent', 'sign', '--passport', passport, '--action', action, '-o', intent);
      const { code, out } = await run('intent', 'verify', intent, '--json');
      return {
        code,
        decision: JSON.parse(out) as { error_code: string | null; details: Record<string, unknown> | null },
      };
    };
    return { run, verify };
  }

  test('refuses an agent whose score is under it, and does not lower the score for that', async () => {
    const { run, verify } = await refusing('0.51');
    for (let i = 0; i < 3; i++) {
      const { code, decision } = await verify('issue_refund');
      expect([code, decision.error_code]).toEqual([13, 'AIP-E404']);
      expect(decision.details).toMatchObject({ score: 0.5, minimum: 0.51 });
    }
    const { out } = await run('trust', 'did:web:acme.com:agents:a', '--json');
    expect(JSON.parse(out)).toMatchObject({ score: 0.5, verifications: 0 });
  });

  test('lets one at it pass until it falls', async () => {
    const { verify } = await refusing('0.5');
    expect((await verify('issue_refund')).code).toBe(0);
    expect((await verify('issue_refund')).code).toBe(0);
    expect((await verify('drop_table')).decision.error_code).toBe('AIP-E201');
    expect((await verify('issue_refund')).decision).toMatchObject({ error_code: 'AIP-E404', details: { score: 0.47 } });
  });
});

const NO_PROOF = {
  target: null,
  intent_timestamp: null,
  key_id: null,
  passport_hash: null,
  passport_serial: null,
  approval_request: null,
};
