import { runSubprocess } from '../../process/subprocess.js';

/** Calls are killed after this long: a bus that never answers blocks keytar's thread for good. */
export const CHILD_TIMEOUT_MS = 3000;

export interface ChildRequest {
  /** Where the native addon may be, best first. */
  readonly addons: readonly string[];
  readonly op: 'read' | 'create' | 'delete';
  readonly service: string;
  readonly account: string;
  /** The text to store; null unless creating. */
  readonly secret: string | null;
}

export type ChildReply =
  /** What the keychain returned: text or null of a read, of the read-back after a create, or whether a delete deleted. */
  | { readonly kind: 'answered'; readonly value: string | boolean | null }
  | { readonly kind: 'exists' }
  /** No addon could be loaded. */
  | { readonly kind: 'unloadable'; readonly reason: string }
  /** The keychain said no, in the words of the OS. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'crashed'; readonly reason: string };

/**
 * The child's program, kept as text so that it runs the same from the bundle and from source. It gets its request on stdin and
 * kills itself a little later than its parent would, for the case that the parent is gone: process.exit would wait for the
 * blocked thread.
 */
export const CHILD_PROGRAM = `'use strict';
setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${CHILD_TIMEOUT_MS + 500}).unref();
const reply = (value) => process.stdout.write(JSON.stringify(value));
const oneLine = (error) => String((error && error.message) || error).slice(0, 500);
function load(paths) {
  const fs = require('node:fs');
  const reasons = [];
  for (const path of paths) {
    if (!fs.existsSync(path)) continue;
    try { return { addon: require(path) }; } catch (error) { reasons.push(oneLine(error)); }
  }
  return { reason: reasons[0] || 'no native addon for this platform' };
}
async function call(addon, { op, service, account, secret }) {
  if (op === 'delete') return { kind: 'answered', value: await addon.deletePassword(service, account) };
  const found = await addon.getPassword(service, account);
  if (op === 'read') return { kind: 'answered', value: found };
  if (found !== null) return { kind: 'exists' };
  await addon.setPassword(service, account, secret);
  return { kind: 'answered', value: await addon.getPassword(service, account) };
}
let text = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => { text += chunk; });
process.stdin.on('end', () => {
  const request = JSON.parse(text);
  const { addon, reason } = load(request.addons);
  if (!addon) return reply({ kind: 'unloadable', reason });
  call(addon, request).then(reply, (error) => reply({ kind: 'refused', reason: oneLine(error) }));
});`;

/** What a keychain needs of the environment; all else (NODE_OPTIONS, passphrases, keys) stays behind. */
const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|XDG_\w+|DBUS_\w+|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|GNOME_KEYRING_CONTROL|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|USERPROFILE|USERNAME|USERDOMAIN|TEMP|TMP)$/i;

export function childEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && NEEDED.test(name)) kept[name] = value;
  }
  return kept;
}

/** One call of the keychain in a process of its own; the secret travels over pipes only. Ends within CHILD_TIMEOUT_MS. */
export async function callKeychain(
  request: ChildRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChildReply> {
  const result = await runSubprocess(process.execPath, ['--input-type=commonjs', '-e', CHILD_PROGRAM], {
    env: childEnvironment(env),
    input: JSON.stringify(request),
    timeoutMs: CHILD_TIMEOUT_MS,
    maxOutputBytes: 64 * 1024,
  });
  if (result.kind === 'timeout') return { kind: 'timeout' };
  if (result.kind !== 'exited') return { kind: 'crashed', reason: result.kind };
  try {
    return JSON.parse(result.stdout) as ChildReply;
  } catch {
    return { kind: 'crashed', reason: result.signal ?? `exit ${result.code}` };
  }
}
