/** Reports while another process logs. */
import { expect, test } from 'vitest';
import { agentHealth } from '../../../src/app/conduct/health.js';
import { explainTrust } from '../../../src/app/conduct/trust-score.js';
import type { Conduct } from '../../../src/app/ports/log.js';
import { AGENT, draft, refused, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const HOUR = 3_600_000;

/** The conduct of a log to which another process adds whenever `name` is asked. */
function busy(name: keyof Conduct): Conduct {
  const path = statePath();
  const clock = (): number => T0;
  const [one, other] = [openAt(path, clock), openAt(path, clock)];
  const add = (): void =>
    other.transact((ledger) => {
      ledger.append(draft());
      ledger.append(refused('AIP-E202'));
    });
  add();
  return new Proxy(one.conduct, {
    get(target, asked: keyof Conduct) {
      if (asked === name) add();
      const value: unknown = target[asked];
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
}

test.each(['trust', 'recentFailures', 'outcomes'] as const)('the numbers of a report are of one moment: %s', (name) => {
  const report = agentHealth(busy(name), AGENT, T0 - HOUR, T0, HOUR / 2);
  expect(report).toMatchObject({ total: 2, successful: 1, failed: 1, outcomes: { unknown: 0, running: 1 } });
  expect(report.recent_failures).toHaveLength(1);
});

test('a score that is computed anew is held against the one of the same moment', () => {
  const { report, kept } = explainTrust(busy('trust'), AGENT, 'guide', T0);
  expect(report).toMatchObject({ verifications: 2, score: kept });
});
