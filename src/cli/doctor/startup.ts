/** How fast this program can start here, and what `aip doctor --warm` does about it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ok, warning, type Finding } from '../../app/setup/doctor.js';
import { shellWord } from '../../app/failure.js';
import { temporaryFolder } from '../../workspace/files.js';
import { runProgram } from '../../workspace/programs.js';
import type { Startup, Surroundings } from '../io.js';
import type { Lifetime } from '../../workspace/workspace.js';

/** A command that is started for its compiled form, on a machine that is slow and busy, ms. */
const PATIENCE_MS = 60_000;

const AGENT = 'did:web:example.com:agents:warm';

/** What runs most often, in an order in which each finds what it needs. All of it in a throwaway home, and none over the network. */
const WAYS: readonly (readonly string[])[] = [
  ['passport', 'create', 'warm', '--domain', 'example.com', '--action', 'warm', '--key-store', 'file'],
  ['passport', 'verify', 'warm.passport.json'],
  ['intent', 'sign', '-p', 'warm', '-a', 'warm', '-o', 'intent.json'],
  ['intent', 'verify', 'intent.json'],
  ['intent', 'sign', '-p', 'warm', '-a', 'warm', '-o', 'other.json'],
  ['intent', 'verify', 'other.json', '--json'],
  ['status', AGENT],
  ['suspend', AGENT, '--for', '1s', '--reason', 'warm', '--local', '--yes'],
  ['revoke', AGENT, '--reason', 'warm', '--local', '--yes'],
  ['reinstate', AGENT, '--reason', 'warm', '--local', '--yes'],
  ['health', AGENT],
  ['logs', 'tail'],
  ['logs', 'verify'],
];

/** Whether V8 need not compile this program at each start, and where what it made is kept. */
export function inspectStartup(startup: Startup | null): Finding {
  if (startup === null) return ok('start-up', 'The program runs from its sources; nothing is kept compiled.');
  const { folder, compiled } = startup;
  const problem = startup.problem();
  if (folder === null || problem !== null) {
    const where = folder === null ? '' : ` in ${folder}`;
    const message = `No compiled form of this program can be kept${where}: ${problem}. Each start takes longer.`;
    const hint = folder === null ? 'set HOME or XDG_CACHE_HOME to a folder of yours' : `rm -rf ${shellWord(folder)}`;
    return warning('start-up', message, hint);
  }
  const kept = startup.kept();
  const many = kept.length === 1 ? 'one command has' : `${kept.length} commands have`;
  const mine = compiled ? 'This command started from its compiled form' : 'This command was compiled as it started';
  return ok('start-up', `${mine}; ${many} a compiled form for Node ${process.version.slice(1)} in ${folder}.`);
}

/** Runs what runs most often once, so that each leaves its compiled form behind; what did not work is a warning. */
export async function warm(cli: Surroundings & Lifetime, startup: Startup | null): Promise<Finding[]> {
  if (startup === null) return [];
  const { path, remove } = temporaryFolder('aip-warm-');
  cli.afterwards(remove);
  const own = /^(AIP_|AGENT_PRIVATE_KEY$)/i;
  const env = {
    ...Object.fromEntries(Object.entries(cli.io.env).filter(([name]) => !own.test(name))),
    AIP_HOME: join(path, 'home'),
    AIP_KEY_PASSPHRASE: randomBytes(16).toString('hex'),
    CI: '1',
  };
  const findings: Finding[] = [];
  for (const way of WAYS) {
    cli.io.interruption.throwIfTold();
    const argv = [...process.execArgv, startup.script, ...way];
    const options = { env, cwd: path, timeoutMs: PATIENCE_MS, maxOutputBytes: 1024 * 1024 };
    const result = await runProgram(process.execPath, argv, options);
    if (result.kind === 'exited' && result.code === 0) continue;
    const how =
      result.kind === 'exited' ? `ended with ${result.code ?? result.signal}` : `did not end (${result.kind})`;
    findings.push(warning('start-up', `aip ${way.slice(0, 2).join(' ')}, run to warm it, ${how}.`, 'aip demo'));
  }
  if (startup.problem() === null && startup.kept().length === 0) {
    const hint = 'set XDG_CACHE_HOME to a folder of yours';
    findings.push(warning('start-up', `Nothing could be kept in ${startup.folder}.`, hint));
  }
  return findings;
}
