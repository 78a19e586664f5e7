/**
 * The child's program: one call of the keychain. keytar's addon blocks its thread on a bus that does not answer, and a native crash
 * ends the process, so that it runs in one that can be killed.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CHILD_TIMEOUT_MS, type ChildReply, type ChildRequest } from './child-messages.js';

/** What keytar's addon exports. */
interface Addon {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, secret: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

// A little later than the parent would, for the case that the parent is gone: process.exit would wait for the blocked thread.
setTimeout(() => process.kill(process.pid, 'SIGKILL'), CHILD_TIMEOUT_MS + 500).unref();

let text = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => (text += chunk));
process.stdin.on('end', () => void answer(JSON.parse(text) as ChildRequest));

async function answer(request: ChildRequest): Promise<void> {
  const loaded = load(request.addons);
  if ('reason' in loaded) return reply({ kind: 'unloadable', reason: loaded.reason });
  try {
    reply(await call(loaded.addon, request));
  } catch (error) {
    reply({ kind: 'refused', reason: oneLine(error) });
  }
}

function load(paths: readonly string[]): { readonly addon: Addon } | { readonly reason: string } {
  const reasons: string[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    try {
      return { addon: createRequire(path)(path) as Addon };
    } catch (error) {
      reasons.push(oneLine(error));
    }
  }
  return { reason: reasons[0] ?? 'no native addon for this platform' };
}

async function call(addon: Addon, { op, service, account, secret }: ChildRequest): Promise<ChildReply> {
  if (op === 'delete') return { kind: 'answered', value: await addon.deletePassword(service, account) };
  const found = await addon.getPassword(service, account);
  if (op === 'read') return { kind: 'answered', value: found };
  if (found !== null) return { kind: 'exists' };
  if (secret === null) throw new Error('there is no secret to store');
  await addon.setPassword(service, account, secret);
  return { kind: 'answered', value: await addon.getPassword(service, account) };
}

function reply(value: ChildReply): void {
  process.stdout.write(JSON.stringify(value));
}

/** In the words of the system, which may be long. */
function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
