import PROGRAM from 'built:keychain-child';
import { runSubprocess } from '../../process/subprocess.js';
import { CHILD_TIMEOUT_MS, type ChildReply, type ChildRequest } from './child-messages.js';

/** What a keychain needs of the environment; all else (NODE_OPTIONS, passphrases, keys) stays behind. */
const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|XDG_\w+|DBUS_\w+|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|GNOME_KEYRING_CONTROL|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|USERPROFILE|USERNAME|USERDOMAIN|TEMP|TMP)$/i;

export function keychainEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && NEEDED.test(name)) kept[name] = value;
  }
  return kept;
}

/** One call of the keychain in a process of its own; the secret travels over pipes only. Ends within `timeoutMs`. */
export async function callKeychain(
  request: ChildRequest,
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs = CHILD_TIMEOUT_MS,
): Promise<ChildReply> {
  const result = await runSubprocess(process.execPath, ['--input-type=commonjs', '-e', PROGRAM], {
    env: keychainEnvironment(env),
    input: JSON.stringify(request),
    timeoutMs,
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
