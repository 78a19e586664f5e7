/** The whole list of native cases through the memory of a fleet: the same decision in the same words as through this machine's own. */
import { readFileSync } from 'node:fs';
import { describe, expect, test, beforeAll, beforeEach } from 'vitest';
import { verifyIntents, type VerifierDeps, type VerifyOptions } from '../../../../src/app/verification/intents.js';
import { readSuite } from '../../../../src/app/conformance/file.js';
import { judgeCase } from '../../../../src/app/conformance/run.js';
import { fleetDatabase, type FleetDatabase } from '../../../kit/state/fleet.js';
import type { IntentVector } from '../../../kit/native/vector.js';
import { fixtureBytes, INTENTS, timeOf } from '../../../kit/native/vectors.js';
import { writeStanding } from '../../../kit/native/standing.js';
import { vectorDeps, vectorOptions } from '../../../kit/native/verifier.js';
import { describePostgres, QUICK } from '../../../kit/postgres.js';
import { judgedInFleet } from '../../../kit/state/judged-in-fleet.js';
import { openAt, statePath } from '../../../kit/state/temporary.js';

const NOW = timeOf({});

function verifierOf(vector: IntentVector, fleet: VerifierDeps['fleet']) {
  const path = statePath();
  const state = openAt(path, () => NOW);
  if (vector.standing !== undefined) writeStanding(path, vector.standing);
  const deps: VerifierDeps = { ...vectorDeps(vector, state, () => NOW), fleet: fleet ?? null };
  const options = vectorOptions(vector);
  return {
    judge: async (file: string, changes: Partial<VerifyOptions> = {}) => {
      const bytes = fixtureBytes(file);
      const [{ decision } = expect.unreachable()] = await verifyIntents(deps, { ...options, ...changes }, [
        { bytes, source: null },
      ]);
      // What is drawn at random is no part of the judgement.
      return {
        ...decision,
        outcome_token: decision.outcome_token === null ? null : 'token',
        message: plain(decision.message),
        details: plainIn(decision.details),
        violations: decision.violations.map(plainIn),
      };
    },
    last: () =>
      [...state.entries({ last: 1 })].map(
        ({ hash: _, salts: __, verifier: ___, prev_hash: ____, details, ...entry }) => ({
          ...entry,
          details: plainIn(details),
        }),
      ),
  };
}

const plain = (text: string) => text.replaceAll(/\b[0-9a-f]{32}\b/g, 'id');
const plainIn = <T>(value: T): T => JSON.parse(plain(JSON.stringify(value))) as T;

const AIP1 = readSuite(readFileSync(new URL('../../../../fixtures/aip-1/conformance.json', import.meta.url), 'utf8'));

describePostgres('cases', QUICK, (cluster) => {
  let fleet: FleetDatabase;
  beforeAll(async () => {
    fleet = await fleetDatabase(cluster());
    await fleet.setClock(NOW);
  });
  beforeEach(() => fleet.empty());

  describe('are judged by a fleet as by one machine', () => {
    test.each(INTENTS.vectors)('$name', async (vector) => {
      const alone = verifierOf(vector, null);
      const shared = { memory: fleet.memory('aaaaaaaaaaaaaaaa'), resumes: true };
      const together = verifierOf(vector, shared);
      for (const file of vector.before ?? []) {
        expect(await together.judge(file, { at: NOW })).toEqual(await alone.judge(file, { at: NOW }));
      }
      const dry = { dryRun: true };
      expect(await together.judge(vector.intent, dry)).toEqual(await alone.judge(vector.intent, dry));
      expect(await together.judge(vector.intent)).toEqual(await alone.judge(vector.intent));
      expect(together.last()).toEqual(alone.last());
      // And once more, by another verifier of the fleet: a nonce counts once.
      const other = verifierOf(vector, shared);
      expect((await other.judge(vector.intent)).error_code).toEqual((await alone.judge(vector.intent)).error_code);
    });
  });

  test('what AIP-1 cases ask is settled by the database as by one machine', async () => {
    const memory = fleet.memory('aaaaaaaaaaaaaaaa');
    let settledAll = 0;
    for (const each of AIP1.cases.filter(({ drift }) => drift === undefined)) {
      const { judge, settled } = judgedInFleet();
      judgeCase(each, AIP1.at, judge);
      if (settled.length === 0) continue;
      await fleet.empty();
      await fleet.setClock(settled[0]!.now);
      for (const { claim, settled: expected } of settled)
        expect((await memory.settle([claim], false)).claims, each.name).toEqual([expected]);
      settledAll += settled.length;
    }
    await fleet.setClock(NOW);
    expect(settledAll).toBeGreaterThan(50);
  });
});
