import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyChain, type Link, START } from '../../../src/protocol/log/chain.js';
import { crowd, worker } from '../../kit/state/crowd.js';
import { AGENT, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const CROWD = 64;
const CRASHES = Number(process.env['AIP_TEST_CRASHES'] ?? 60);
const LONG = 240_000;

test(
  'of 64 processes that start on no file at all and spend one nonce, exactly one wins',
  async () => {
    const path = statePath();
    const nonce = 'ab'.repeat(16);
    const answers = await crowd(CROWD, ['nonce', path, nonce]);
    expect(answers.filter((answer) => answer === 'won')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'lost')).toHaveLength(CROWD - 1);
    const state = openAt(path);
    expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: true, count: CROWD });
    expect(state.tally(AGENT)).toMatchObject({ total: CROWD, successful: 1, unattributed: CROWD - 1 });
  },
  LONG,
);

test(
  'a window is never overfilled by 64 processes, and never left short',
  async () => {
    const path = statePath();
    const answers = await crowd(CROWD, ['places', path, '100']);
    expect(answers.map(Number).reduce((a, b) => a + b)).toBe(100);
    expect([...openAt(path).entries({ action: 'place_order' })]).toHaveLength(100);
  },
  LONG,
);

test(
  'the last money of a day is spent once',
  async () => {
    const path = statePath();
    const answers = await crowd(CROWD, ['money', path, '119']);
    expect(answers.filter((answer) => answer === 'won')).toHaveLength(3);
  },
  LONG,
);

test(
  'what is rebuilt from the log agrees with it while another process writes',
  async () => {
    const path = statePath();
    const writer = await worker(['write', path]);
    await writer.ready();
    writer.go();
    const state = openAt(path);
    while (state.bounds().head.seq < 2000) await sleep(10);
    // The writer counts under another action than it logs.
    const told = (): readonly string[] => state.derivedProblems(T0).filter((problem) => !problem.includes('counters'));
    for (let i = 0; i < 10; i++) expect(told()).toEqual([]);
    await writer.kill();
  },
  LONG,
);

test(
  `after SIGKILL at any moment (${CRASHES} times) what was reported is there, whole`,
  async () => {
    let path = statePath();
    let checked: Link = START;
    let reported = 0;
    for (let i = 0; i < CRASHES; i++) {
      if (i % 6 === 0) [path, checked] = [statePath(), START]; // so that some die while making the file
      const writers = await Promise.all([worker(['write', path]), worker(['write', path])]);
      await Promise.all(writers.map((each) => each.ready()));
      for (const each of writers) each.go();
      // A busy machine may not come to write in any time that is fixed.
      while (i % 6 !== 0 && writers.every(({ lines }) => lines.length === 0)) await sleep(5);
      await sleep(i % 6 === 0 ? randomInt(20) : randomInt(120));
      const lines = (await Promise.all(writers.map((each) => each.kill()))).flat();

      const state = openAt(path);
      const chain = verifyChain(state.entries({ afterSeq: checked.seq }), {
        after: checked,
        head: state.bounds().head,
      });
      expect(chain).toMatchObject({ ok: true });
      const hashes = new Map([...state.entries({ afterSeq: checked.seq })].map((each) => [each.seq, each]));
      state.rehearse((ledger) => {
        for (const line of lines) {
          const [seq, nonce, hash] = line.split(' ') as [string, string, string];
          expect(hashes.get(Number(seq))).toMatchObject({ nonce, hash });
          expect(ledger.nonceRecord(AGENT, nonce)).toEqual({ firstSeenAt: T0, firstResult: 'accepted' });
        }
        const spent = ledger.read(AGENT, { kind: 'sum', currency: 'USD', windowMs: 1000, asked: 0n, limit: 0n }, T0);
        expect(spent).toEqual({ kind: 'sum', spent: BigInt(state.bounds().head.seq) });
      });
      expect(state.tally(AGENT)?.total ?? 0).toBe(state.bounds().head.seq);
      checked = state.bounds().head;
      reported += lines.length;
      state.close();
    }
    expect(reported).toBeGreaterThanOrEqual(CRASHES - Math.ceil(CRASHES / 6));
  },
  LONG,
);
