/** What `aip doctor` looks at, in the order in which one thing rests on another. Nothing is changed, and no key is opened. */
import { isHeld } from '../../app/keys/keyring.js';
import { join } from 'node:path';
import {
  EXIT,
  expectedKeys,
  failedFinding,
  failing,
  inspectClock,
  inspectLog,
  inspectPassports,
  inspectPins,
  inspectRoom,
  ok,
  warning,
  type ExpectedKey,
  type Finding,
} from '../../app/setup/doctor.js';
import type { ChainedLog } from '../../app/logs/check.js';
import { Failure, shellWord } from '../../app/failure.js';
import type { State } from '../../app/ports/state.js';
import { loadConfig, type Config, type ConfigSource } from '../config/load.js';
import { inspectGeneration, inspectPrincipalKeys } from './exposure.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { readPassport, type Passport } from '../../protocol/passport.js';
import { disowned, readDocument } from '../../workspace/files.js';
import { unknownVariables } from '../config/keys.js';
import { fromSystem } from '../../app/system-failures.js';
import { inspectHooks } from './hooks.js';
import { inspectStartup } from './startup.js';
import { principalPins } from '../passports/pins.js';
import { inspection, keyStores } from '../../workspace/keys.js';
import { proxyUse } from '../../workspace/programs.js';
import { knownMachineKey } from '../../workspace/mesh.js';
import { loadState, localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import { counted } from '../render/terminal/text.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings & Pick<ConfigSource, 'globals'>;

export interface NodeVersion {
  /** As `process.version` has it. */
  readonly node: string;
}

export async function* checkup(cli: Scene, { node }: NodeVersion): AsyncGenerator<Finding> {
  yield inspectNode(node);
  yield inspectStartup(cli.io.startup);
  const { config, findings } = await inspectConfig(cli);
  yield* findings;
  const { state, finding } = await inspectState(cli);
  yield finding;
  yield* survivable('state', () => inspectGeneration(cli));
  if (state !== null) yield* survivable('log', () => inspectLog(state));
  yield* survivable('verifier', async () => {
    const publicKey = await knownMachineKey(cli.workspace);
    // One is made when a checkpoint or a proof is signed, or a mesh is joined.
    return publicKey === null ? [] : [ok('verifier', `The public key of this verifier is ${publicKey}.`)];
  });
  const skewMs = config?.get('verify.max_skew') ?? 30_000;
  yield* survivable('clock', () => inspectClock(state ?? NO_ENTRIES, cli.io.now(), skewMs));
  if (state !== null) {
    yield* survivable('principal', () => inspectPins(state));
    yield* survivable('principal', () => inspectPrincipalKeys(cli, state));
    yield* survivable('passport', async () =>
      inspectPassports(state, await pinLookup(cli, config, state), cli.io.now(), passportAt),
    );
  }
  const expected: ExpectedKey[] = [];
  if (state !== null) yield* survivable('key', () => (expected.push(...expectedKeys(state)), []));
  yield* inspectKeychain(cli, config, expected);
  yield* inspectKeys(cli, expected);
  yield* inspectEnvFiles(cli, expected);
  yield* await inspectHooks(cli);
  yield* inspectProxies(cli);
  const shared = config?.get('state.url') ?? null;
  if (shared !== null) {
    yield* survivable('fleet', async () => {
      const { inspectFleet } = await import('./fleet.js');
      return inspectFleet(cli, shared);
    });
  }
  if (config !== null && config.get('mesh.url') !== null) yield* meshFindings(cli, config, state !== null);
}

/** One finding at a time, so that trouble with one does not hide the others before it. */
async function* meshFindings(cli: Scene, config: Config, hasState: boolean): AsyncGenerator<Finding> {
  const { inspectMesh } = await import('./mesh.js');
  try {
    yield* inspectMesh(cli, config, hasState);
  } catch (error) {
    yield trouble('mesh', error);
  }
}

const NO_ENTRIES: Pick<State, 'entries'> = { entries: () => [] };

/** What went wrong in the world; anything else is a bug and ends the command. */
function trouble(check: string, error: unknown, exitCode?: number): Finding {
  return failing(check, fromSystem(error) ?? error, exitCode);
}

/** Damage that one check runs into does not end the others. */
async function* survivable(
  check: string,
  look: () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
): AsyncGenerator<Finding> {
  try {
    const found = await look();
    yield* Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding];
  } catch (error) {
    yield trouble(check, error);
  }
}

function inspectNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return ok('node', `Node ${version.replace(/^v/, '')}.`);
  return failedFinding(
    'node',
    `Node ${version.replace(/^v/, '')} is too old.`,
    'install Node 20.19 or later',
    EXIT.config,
  );
}

async function inspectConfig(cli: Scene): Promise<{ config: Config | null; findings: Finding[] }> {
  const findings = unknownVariables(cli.io.env).map((message) =>
    warning('config', `The variable ${message}`, 'aip help config'),
  );
  let config: Config;
  try {
    config = await loadConfig(cli);
  } catch (error) {
    return { config: null, findings: [...findings, trouble('config', error)] };
  }
  const { project, user } = config.files;
  const files = [project, user].filter((path) => path !== null);
  for (const problem of config.problems) {
    const message = `Nothing is verified here: ${problem.message}.`;
    findings.push(failedFinding('config', message, problem.hint, EXIT.config));
  }
  for (const { message, problem } of config.warnings)
    if (problem === undefined) findings.push(warning('config', message, 'aip help config'));
  const policy = config.entries.filter(({ name, origin }) => origin === 'project' && isPolicy(name));
  if (policy.length > 0) {
    const message = `${policy.map(({ name }) => name).join(', ')} of ${project} hold in that folder only.`;
    findings.push(warning('config', message, 'set in the config of the home what every decision must hold to'));
  }
  if (findings.length === 0)
    findings.push(ok('config', files.length === 0 ? 'No config file; defaults are used.' : `${files.join(', ')}.`));
  return { config, findings };
}

/** What a decision rests on. */
function isPolicy(name: string): boolean {
  return /^(?:verify|revocation)\.|^(?:hooks|principals)$/.test(name);
}

async function inspectState(cli: Scene): Promise<{ state: (State & ChainedLog) | null; finding: Finding }> {
  const { stateFile } = cli.workspace.paths();
  const { bytesLeft, isMakeable, othersMay } = await inspection();
  try {
    const modes = othersMay(stateFile);
    if (modes === null && othersMay(`${stateFile}-wal`) === null) {
      await loadState();
      const finding = isMakeable(stateFile)
        ? ok('state', `None yet; it will be made at ${stateFile}.`)
        : failedFinding('state', `${stateFile} cannot be made.`, 'set AIP_HOME to a folder of yours', EXIT.state);
      return { state: null, finding };
    }
    const problem = disowned(stateFile, cli.io.uid);
    if (problem !== null) {
      const message = `Commands that rest on the state refuse it: ${problem.message}.`;
      return { state: null, finding: failedFinding('state', message, problem.hint, EXIT.state) };
    }
    const state = await localState(cli.workspace);
    if (state.readOnly) {
      const message = `${stateFile} may only be read here: reports answer, and whatever verifies or changes something is refused.`;
      return {
        state,
        finding: warning('state', message, `ls -ld ${shellWord(stateFile)}; findmnt -T ${shellWord(stateFile)}`),
      };
    }
    // A write transaction that ends without a write.
    state.rehearse(() => undefined);
    const finding =
      modes?.read === true || modes?.write === true
        ? warning('state', `${stateFile} can be read or changed by others.`, `chmod 600 ${shellWord(stateFile)}`)
        : inspectRoom(stateFile, bytesLeft(stateFile));
    return { state, finding };
  } catch (error) {
    return { state: null, finding: trouble('state', error) };
  }
}

async function pinLookup(cli: Scene, config: Config | null, state: State) {
  // Without a config that can be read, the pins of the state are all there are.
  if (config === null) {
    const { pinnedKeys } = await import('../../app/keys/principals.js');
    return (principal: string) => pinnedKeys(state.pins(principal));
  }
  return principalPins(cli, { principalKey: [] });
}

/** The passport in a file that can be read. */
async function passportAt(path: string): Promise<Passport | null> {
  const bytes = await readDocument(path, 1000).catch(() => null);
  try {
    return bytes === null ? null : readPassport(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return null;
  }
}

/** Asks for an item that is not there: an answer means that the keychain works, and opens nothing. */
const PROBE = 'aip doctor';

async function* inspectKeychain(
  cli: Scene,
  config: Config | null,
  expected: readonly ExpectedKey[],
): AsyncGenerator<Finding> {
  const inUse = expected.some(({ record }) => record.store === 'keychain');
  // Where new keys go is unknown while the config cannot be read.
  if (config === null && !inUse) return;
  const entry = config?.entries.find(({ name }) => name === 'key_store');
  const chosen = config?.get('key_store');
  if (chosen !== 'keychain' && !inUse) {
    yield ok('key store', `New keys go to the ${chosen} store.`);
    return;
  }
  // A machine that never chose one, and has its keys elsewhere, lacks nothing.
  if (!inUse && expected.length > 0 && entry?.origin === 'default') {
    yield ok(
      'key store',
      'No key of this machine is in the keychain; new ones go there unless --key-store says otherwise.',
    );
    return;
  }
  const store = await keyStores(cli.workspace, {})('keychain');
  try {
    await store.read(PROBE);
    yield ok('key store', 'The keychain answers.');
  } catch (error) {
    if (error instanceof Failure && error.code === 'KEY_NOT_FOUND') {
      yield ok('key store', 'The keychain answers.');
      return;
    }
    const finding = trouble('key store', error, EXIT.keys);
    // A machine that never chose one and keeps no key, as one that only verifies, lacks nothing yet.
    const needed = inUse || (entry !== undefined && entry.origin !== 'default');
    yield needed ? finding : warning('key store', finding.message, 'aip init --key-store file');
  }
}

async function* inspectKeys(cli: Scene, expected: readonly ExpectedKey[]): AsyncGenerator<Finding> {
  const { othersMay, requireKeyFile, inspectEnvFile } = await inspection();
  const { keysDir } = cli.workspace.paths();
  let whole = 0;
  let unasked = 0;
  let bad = 0;
  for (const { record, remedy } of expected) {
    try {
      if (record.store === 'file') requireKeyFile(record.ref, keysDir, cli.io.env);
      else if (record.store === 'env' && (await inspectEnvFile(record.ref, cli.io.env)) === null) {
        throw new Failure('KEY_NOT_FOUND', `AGENT_PRIVATE_KEY is not in ${record.ref}.`);
      }
      // Reading it may raise the keychain's own question, and a key elsewhere may cost a person's consent.
      if (record.store === 'keychain' || !isHeld(record.store)) unasked += 1;
      else whole += 1;
    } catch (error) {
      bad += 1;
      const finding = trouble('key', error, EXIT.keys);
      yield { ...finding, message: `${record.keyId}: ${finding.message}`, hint: finding.hint ?? remedy };
    }
  }
  const folder = othersMay(keysDir);
  if (folder?.read === true || folder?.write === true)
    yield warning('key', `The folder ${keysDir} can be read or changed by others.`, `chmod 700 ${shellWord(keysDir)}`);
  if (bad > 0) return;
  const kept =
    unasked === 0 ? '' : `; ${unasked} in the keychain or elsewhere ${unasked === 1 ? 'was' : 'were'} not asked for`;
  const where = counted(whole, 'private key is where it belongs', 'private keys are where they belong');
  yield ok('key', expected.length === 0 ? 'No private keys are held here.' : `${where} (not opened)${kept}.`);
}

async function* inspectEnvFiles(cli: Scene, expected: readonly ExpectedKey[]): AsyncGenerator<Finding> {
  const { inspectEnvFile } = await inspection();
  const recorded = expected.filter(({ record }) => record.store === 'env').map(({ record }) => record.ref);
  const usual = ['.env', '.env.local'].map((name) => join(cli.io.cwd, name));
  for (const path of new Set([...recorded, ...usual])) {
    const report = await inspectEnvFile(path, cli.io.env).catch((error: unknown) => {
      if (error instanceof Failure) return null;
      throw error;
    });
    if (report === null) continue;
    if (report.git === 'tracked') {
      const message = `git tracks ${path}, which holds a private key: whoever has the repository is the agent.`;
      yield failedFinding(
        'env file',
        message,
        `git rm --cached ${shellWord(path)}, then give the agent a new key`,
        EXIT.keys,
      );
    } else if (report.git === 'unignored')
      yield warning('env file', `${path} holds a private key, and git does not ignore it.`, 'add it to .gitignore');
    else if (report.git === 'unknown')
      yield warning('env file', `Whether git tracks ${path}, which holds a private key, is unknown.`, 'install git');
    if (report.exposed)
      yield warning('env file', `${path} can be read or changed by others.`, `chmod 600 ${shellWord(path)}`);
    if (!report.exposed && (report.git === 'ignored' || report.git === 'outside'))
      yield ok(
        'env file',
        cli.io.platform === 'win32'
          ? `No git repository tracks ${path}; who may read it is not looked at on Windows.`
          : `${path} is private, and no git repository tracks it.`,
      );
  }
}

/** What stands between this machine and the network, for the mesh, did.json files and webhooks. */
async function* inspectProxies(cli: Scene): AsyncGenerator<Finding> {
  const use = await proxyUse(cli.workspace);
  if ('problem' in use) {
    yield failedFinding(
      'proxy',
      `${use.problem}: nothing is reached over the network.`,
      'aip help config',
      EXIT.config,
    );
    return;
  }
  const { proxies, exempt } = use;
  if (proxies.length === 0) return;
  const through = proxies.map(({ variable, shown }) => `${shown} (${variable})`).join(', ');
  const but = exempt === null ? '' : `; directly to ${exempt} (NO_PROXY)`;
  yield ok('proxy', `Requests go through ${through}${but}.`);
}
