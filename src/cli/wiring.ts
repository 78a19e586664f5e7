/** The only place that builds adapters. Each is built on first use, once a command, and loaded no earlier. */
import { randomBytes } from 'node:crypto';
import type { FindDeps } from '../app/passports/find.js';
import type { IssueDeps } from '../app/passports/issue.js';
import type { SignatureWorkers } from '../app/ports/signatures.js';
import type { KeyringDeps } from '../app/keys/keyring.js';
import type { Notice } from '../app/ports/monitor.js';
import type { KeyStore, KeyStoreName, State } from '../app/ports/state.js';
import type { SqliteState } from '../adapters/sqlite/state.js';
import type { Cli } from './cli.js';
import { documentReader } from './input/documents.js';
import { clean } from './render/terminal/text.js';

/** Random bytes of the system. */
export const random = (n: number): Uint8Array => randomBytes(n);

/** A clock that never goes back, in microseconds. */
export const ticks = (): number => Number(process.hrtime.bigint()) / 1000;

/** The local state, opened on first use and closed when the command is done. */
export function localState(cli: Cli): Promise<SqliteState> {
  return cli.once(open);
}

async function open(cli: Cli): Promise<SqliteState> {
  const { openState } = await import('../adapters/sqlite/state.js');
  const state = openState(cli.paths().stateFile, { random, clock: cli.io.now, onlyReads: cli.onlyReads });
  cli.afterwards(() => state.close());
  return state;
}

/** Fails where a state could not even be made, because SQLite does not load. */
export async function loadState(): Promise<void> {
  await import('../adapters/sqlite/state.js');
}

/** Where a command finds keys, as its own flags say. */
export interface KeyFlags {
  readonly passphraseFile?: string | undefined;
  readonly passphraseFd?: number | undefined;
  readonly envFile?: string | undefined;
}

/** The key stores; only the one that is used gets loaded. */
export async function keyStores(cli: Cli, flags: KeyFlags): Promise<(name: KeyStoreName) => KeyStore> {
  const onNotice = (notice: string): void => cli.note(clean(notice));
  const { env } = cli.io;
  const [{ keychain }, { keyFiles }, { envKey }, { existing, fresh }, { secretMounts }] = await Promise.all([
    import('../adapters/keys/keychain/store.js'),
    import('../adapters/keys/file/store.js'),
    import('../adapters/keys/env/store.js'),
    passphrasesOf(cli, flags),
    import('../adapters/files/secret-mounts.js'),
  ]);
  const stores: Record<KeyStoreName, () => KeyStore> = {
    keychain: () => keychain({ env }),
    file: () =>
      keyFiles({
        folder: cli.paths().keysDir,
        random,
        mounts: secretMounts(env),
        passphrase: existing,
        newPassphrase: fresh,
      }),
    env: () => envKey({ env, envFile: flags.envFile ?? null, random, onNotice }),
  };
  return (name) => stores[name]();
}

async function passphrasesOf(cli: Cli, { passphraseFile, passphraseFd }: KeyFlags) {
  const { passphrases } = await import('../adapters/keys/passphrase.js');
  const prompt = cli.ask.allowed
    ? (message: string) => cli.ask.secret({ message, flag: '--passphrase-file <file>' })
    : null;
  const onNotice = (notice: string): void => cli.note(clean(notice));
  return passphrases({
    env: cli.io.env,
    file: passphraseFile ?? null,
    descriptor: passphraseFd ?? null,
    prompt,
    onNotice,
    random,
  });
}

/** Private keys in files of other programs. */
export async function pemFiles(cli: Cli, flags: KeyFlags) {
  const [{ portableKeys }, { existing, fresh }] = await Promise.all([
    import('../adapters/keys/file/portable.js'),
    passphrasesOf(cli, flags),
  ]);
  return portableKeys({ random, passphrase: existing, newPassphrase: fresh, env: cli.io.env });
}

export async function keyring(cli: Cli, flags: KeyFlags): Promise<KeyringDeps & { readonly state: State }> {
  return { state: await localState(cli), store: await keyStores(cli, flags), random, clock: cli.io.now };
}

export async function issuing(cli: Cli, flags: KeyFlags): Promise<IssueDeps & { readonly state: State }> {
  const [ring, files, { schemaProblem }] = await Promise.all([
    keyring(cli, flags),
    import('../adapters/files/plain-file.js'),
    import('../adapters/json-schema.js'),
  ]);
  const { createFile, replaceFile, fileExists } = files;
  return { ...ring, schemaProblem, files: { create: createFile, replace: replaceFile, exists: fileExists } };
}

export async function finding(cli: Cli): Promise<FindDeps & { readonly state: State }> {
  return { state: await localState(cli), readFile: documentReader(cli) };
}

/** The conformance cases that come with this package. */
export async function conformanceFile(): Promise<string> {
  const { packageFile } = await import('../adapters/files/package-file.js');
  return packageFile('fixtures', 'aip-1', 'conformance.json');
}

/** The key shared with an agent, in a file. */
export async function hmacKey(cli: Cli, path: string): Promise<Uint8Array> {
  const { readHmacKey } = await import('../adapters/keys/hmac-key.js');
  return readHmacKey(path, cli.io.env);
}

/** Other cores for the signatures of a stream, until the command is done. */
export async function signatureWorkers(cli: Cli, count: number): Promise<SignatureWorkers> {
  const { startSignatureWorkers } = await import('../adapters/workers/signatures.js');
  const workers = startSignatureWorkers(count);
  cli.afterwards(() => workers.stop());
  return workers;
}

/** Runs a program in this one's place. */
export async function foreground({ io }: Cli) {
  const { findProgram, inForeground } = await import('../adapters/process/foreground.js');
  const onTerminal = [io.stdin, io.stdout, io.stderr].some((stream) => stream.isTTY === true);
  return {
    /** The file that is run for a name; null when there is none. */
    find: (name: string) => findProgram(name, { env: io.env, cwd: io.cwd }),
    start: (file: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>) =>
      inForeground(file, args, { env, cwd: io.cwd }, onTerminal),
  };
}

/** Looks at files without opening a key or changing anything. */
export function inspection(): Promise<typeof import('../adapters/inspection.js')> {
  return import('../adapters/inspection.js');
}

/** What the monitor has told and done. */
export async function monitorMemory(cli: Cli) {
  const { openMonitorMemory } = await import('../adapters/sqlite/monitor-memory.js');
  const memory = openMonitorMemory(cli.paths().stateFile, random);
  cli.afterwards(() => memory.close());
  return memory;
}

/** Sends alerts out. */
export async function posting({ io }: Cli) {
  const { post } = await import('../adapters/http/webhook.js');
  return (notice: Notice) => post(notice, { clock: io.now, random, signal: io.signal });
}
