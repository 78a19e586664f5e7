/** Commands as people run them: processes of their own, from the first instruction to the last. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openState } from '../../src/adapters/sqlite/open.js';
import { agent, place, type Agent } from './agent.js';
import { misleading } from './baseline.js';
import { median, msMore, timesAsMuch, type Pair, type Result } from './measure.js';

const AIP = join(process.env['AIP_BENCH_ROOT']!, 'bin/aip.cjs');
const ROUNDS = 60;
/** They make the compiled form, among other things. */
const WARMUPS = 3;
/** So many that starting, and compiling what is hot, count little. */
const LINES = 40_000;
const STREAM_ROUNDS = 6;

/** Starting up, and one whole verification: each accepted, and committed to the log. */
export async function starts(): Promise<Result[]> {
  const subject = await agent('starts');
  await subject.workspace.close();
  const version = { pairs: [] as Pair[], times: [] as number[] };
  const verify = { pairs: [] as Pair[], times: [] as number[] };
  const bare: number[] = [];
  const intent = (): string => {
    const file = place('intent.json');
    writeFileSync(file, subject.fresh(1)[0]!.document);
    return file;
  };
  for (let round = -WARMUPS; round < ROUNDS; round++) {
    const file = intent();
    const base = run(['-e', '0'], subject.home);
    const runs = [
      [version, run([AIP, '--version'], subject.home)],
      [verify, run([AIP, 'intent', 'verify', file], subject.home)],
    ] as const;
    if (round < 0) continue;
    bare.push(base);
    for (const [of, ours] of runs) {
      of.times.push(ours);
      of.pairs.push({ ours, base });
    }
  }
  const trouble = misleading(median(bare) / 1000);
  if (trouble !== null) throw new Error(trouble);
  await requireCommitted(subject, ROUNDS + WARMUPS);
  const result = (what: string, most: number, { pairs, times }: typeof verify): Result => ({
    what,
    against: 'node -e 0',
    target: { kind: 'most', value: most, unit: 'ms more' },
    measured: msMore(pairs),
    ours: times,
    base: bare,
  });
  return [
    result('aip --version', 6, version),
    result('aip intent verify', 28, verify),
    memory('memory of aip --version', () => ['--version'], subject.home),
    memory('memory of aip intent verify', () => ['intent', 'verify', intent()], subject.home),
  ];
}

/** A file of many intents on two cores, against one. */
export async function stream(): Promise<Result> {
  const subject = await agent('stream');
  await subject.workspace.close();
  const pairs: Pair[] = [];
  const file = place('intents.ndjson');
  const ours: number[] = [];
  const base: number[] = [];
  for (let round = -1; round < STREAM_ROUNDS; round++) {
    const [one, two] = ['1', '2'].map((jobs) => {
      writeFileSync(
        file,
        subject
          .fresh(LINES)
          .map(({ document }) => document)
          .join('\n'),
      );
      return run([AIP, 'intent', 'verify', '--ndjson', '--jobs', jobs, file], subject.home);
    });
    if (round < 0) continue;
    base.push(one!);
    ours.push(two!);
    pairs.push({ ours: two!, base: one! });
  }
  const target = { kind: 'least', value: 1.5, unit: 'x' } as const;
  const measured = 1 / timesAsMuch(pairs);
  return { what: `rate of ${LINES} NDJSON lines, --jobs 2`, against: '--jobs 1', target, measured, ours, base };
}

/** The figures are of accepted intents only, and all of them are in the log. */
async function requireCommitted(subject: Agent, count: number): Promise<void> {
  const { total, successful } = openState(join(subject.home, 'state.db'), { random: randomBytes }).tally(
    subject.passport.agentId,
  )!;
  if (total !== count || successful !== count)
    throw new Error(`${count} were run, ${successful} of ${total} in the log`);
}

/** Microseconds. */
function run(args: readonly string[], home: string): number {
  const env = { ...process.env, HOME: home, AIP_HOME: home };
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
  });
  const took = performance.now() - start;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr.toString()}`);
  return took * 1000;
}

/** The most physical memory that a command held at once, as the system counts it. The option of node asks for a compiled form of its own. */
function memory(what: string, args: () => string[], home: string): Result {
  const probe = place('probe.cjs');
  writeFileSync(
    probe,
    "process.on('exit', () => require('node:fs').writeSync(3, String(process.resourceUsage().maxRSS)))",
  );
  let megabytes = 0;
  for (let round = -WARMUPS; round <= 0; round++) {
    const { status, output } = spawnSync(process.execPath, ['--require', probe, AIP, ...args()], {
      env: { ...process.env, HOME: home, AIP_HOME: home },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`${what}: it ended with ${status}`);
    megabytes = Number(output[3]!.toString()) / 1024;
  }
  return {
    what,
    against: '',
    target: { kind: 'most', value: 70, unit: 'MB' },
    measured: megabytes,
    ours: [],
    base: [],
  };
}
