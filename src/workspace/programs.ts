/** Other programs, cores and machines, but for the mesh. */
import type { SubprocessOptions, SubprocessResult } from '../adapters/process/subprocess.js';
import type { Ended, Running } from '../adapters/process/foreground.js';
import type { HookModule } from '../app/ports/hook-modules.js';
import type { Delivery, Notice } from '../app/ports/monitor.js';
import type { SignatureWorkers } from '../app/ports/signatures.js';
import type { LocalWorkspace } from './workspace.js';

export type { Ended, Running, SubprocessOptions };

/** Runs programs in this one's place: its streams, its signals, its end. */
export interface Foreground {
  /** The file that is run for a name; null when there is none. */
  find(name: string): string | null;
  start(file: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Running;
}

/** `onTerminal`: a terminal sends Ctrl-C to the program by itself. */
export async function foreground({ world }: LocalWorkspace, onTerminal: boolean): Promise<Foreground> {
  const { findProgram, inForeground } = await import('../adapters/process/foreground.js');
  return {
    find: (name) => findProgram(name, { env: world.env, cwd: world.cwd }),
    start: (file, args, env) => inForeground(file, args, { env, cwd: world.cwd }, onTerminal),
  };
}

/** Runs a program without a shell and without a terminal, within bounds of time and output. Never rejects. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: SubprocessOptions,
): Promise<SubprocessResult> {
  return (await import('../adapters/process/subprocess.js')).runSubprocess(file, args, options);
}

/** Other cores for the signatures of a stream, until the workspace is closed. */
export async function signatureWorkers(workspace: LocalWorkspace, count: number): Promise<SignatureWorkers> {
  const { startSignatureWorkers } = await import('../adapters/workers/signatures.js');
  const workers = startSignatureWorkers(count);
  workspace.afterwards(() => workers.stop());
  return workers;
}

/**
 * The hooks of a file in a thread of their own, until the workspace is closed; `lateMs` is how long each may take.
 * @throws Error why they cannot be loaded
 */
export async function hookModule(workspace: LocalWorkspace, file: string, lateMs: number): Promise<HookModule> {
  const { hooksInThread } = await import('../adapters/workers/hook-threads.js');
  const hooks = await hooksInThread(file, lateMs);
  workspace.afterwards(() => hooks.stop());
  return hooks;
}

/** Sends alerts out. */
export async function posting({ world }: LocalWorkspace): Promise<(notice: Notice) => Promise<Delivery>> {
  const { post } = await import('../adapters/http/webhook.js');
  const { clock, random, signal, env } = world;
  return (notice) => post(notice, { clock, random, signal, env });
}

/** The proxies that requests over the network go through, for people: no name and no password is in `shown`. */
export interface ProxyUse {
  readonly proxies: readonly { readonly variable: string; readonly shown: string }[];
  /** What NO_PROXY says; null when it is unset. */
  readonly exempt: string | null;
}

/** Which proxies the environment names; in words why one of them cannot be used. */
export async function proxyUse({ world }: LocalWorkspace): Promise<ProxyUse | { readonly problem: string }> {
  const { proxiesIn, ProxyProblem } = await import('../adapters/http/proxy.js');
  try {
    return proxiesIn(world.env);
  } catch (error) {
    if (error instanceof ProxyProblem) return { problem: error.message };
    throw error;
  }
}

/** The did.json of a principal, as it was served. @throws Failure NETWORK */
export async function didDocument({ world }: LocalWorkspace, did: string): Promise<Uint8Array> {
  return (await import('../adapters/http/did-web.js')).fetchDidDocument(did, world.env);
}
