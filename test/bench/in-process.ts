/** Verification inside a process, against a bare Ed25519 verification of the same bytes under a key that is kept. */
import { verify } from 'node:crypto';
import { agent, type Agent, type Signed } from './agent.js';
import { timesAsMuch, type Pair, type Result } from './measure.js';

const ROUNDS = 32;
const AGAINST = 'node:crypto verify';

/** One after the other, on one core: counted in processor time, which other programs on the machine do not disturb. */
export async function stateless(): Promise<Result> {
  const { workspace, passport, principalPublicKey, publicKey, fresh } = await agent('stateless');
  const options = { state: false, passport, principalKeys: { [passport.principal]: principalPublicKey } };
  const pairs: Pair[] = [];
  const ours: number[] = [];
  const base: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const intents = fresh(1024);
    const bareUs = await each(intents, round < 0 ? [] : base, ({ signedBytes, signature }) =>
      verify(null, signedBytes, publicKey, signature),
    );
    const oursUs = await each(intents, round < 0 ? [] : ours, async ({ document }) => {
      const { success } = await workspace.verifyIntent(document, options);
      return success;
    });
    if (round >= 0) pairs.push({ ours: oursUs, base: bareUs });
  }
  await workspace.close();
  const target = { kind: 'least', value: 0.85, unit: '%' } as const;
  return { what: 'rate without state', against: AGAINST, target, measured: 1 / timesAsMuch(pairs), ours, base };
}

/** Calls of 1,024 callers at once, as a busy server has them; every answer waits for its commit. */
export async function durable(): Promise<Result> {
  const subject = await agent('durable');
  const pairs: Pair[] = [];
  const ours: number[] = [];
  const base: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const intents = subject.fresh(1024);
    const start = performance.now();
    await each(intents, round < 0 ? [] : base, ({ signedBytes, signature }) =>
      verify(null, signedBytes, subject.publicKey, signature),
    );
    const bareUs = ((performance.now() - start) * 1000) / intents.length;
    const oursUs = await crowd(subject, intents, round < 0 ? [] : ours);
    if (round >= 0) pairs.push({ ours: oursUs, base: bareUs });
  }
  await subject.workspace.close();
  const target = { kind: 'least', value: 0.55, unit: '%' } as const;
  return { what: 'rate with durable state', against: AGAINST, target, measured: 1 / timesAsMuch(pairs), ours, base };
}

/** Microseconds an intent, of a crowd that calls at once; `waits` gets how long each caller waited. */
export async function crowd({ workspace }: Agent, intents: readonly Signed[], waits: number[]): Promise<number> {
  const start = performance.now();
  const answers = intents.map(async ({ document }) => {
    const { success, error_code } = await workspace.verifyIntent(document);
    if (!success) throw new Error(`an intent that is as it should be was refused: ${error_code}`);
    waits.push((performance.now() - start) * 1000);
  });
  await Promise.all(answers);
  return ((performance.now() - start) * 1000) / intents.length;
}

/** Microseconds of processor time an intent; `times` gets how long each took. */
async function each(
  intents: readonly Signed[],
  times: number[],
  judge: (intent: Signed) => boolean | Promise<boolean>,
): Promise<number> {
  const before = process.cpuUsage();
  let last = performance.now();
  for (const intent of intents) {
    const answer = judge(intent);
    if (!(typeof answer === 'boolean' ? answer : await answer)) throw new Error('a good intent was refused');
    const now = performance.now();
    times.push((now - last) * 1000);
    last = now;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / intents.length;
}
