/** Flags of commands that listen on this machine. */
import type { OptionSpec } from '../spec.js';

/** A loopback address. */
export interface LoopbackAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:7447`, `localhost:0`, `[::1]:7447`. @throws Error */
export function loopback(text: string): LoopbackAddress {
  const match = /^(?:\[(::1)\]|(127(?:\.\d{1,3}){3}|localhost)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new Error('Expected a loopback address such as 127.0.0.1:7447, localhost:0 or [::1]:7447.');
  return { host: match[1] ?? match[2]!, port };
}

/** Reads a value of Host. @throws Error */
function hostName(text: string): string {
  if (!/^[A-Za-z0-9.-]{1,253}(?::\d{1,5})?$/.test(text)) throw new Error('Expected a host, such as aip.internal:7447.');
  return text.toLowerCase();
}

/** The values of Host that a listener at `url` answers. */
export function allowedHosts(url: string | null, more: readonly string[]): ReadonlySet<string> {
  if (url === null) return new Set(more);
  const { port } = new URL(url);
  return new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, ...more]);
}

/** Who may connect. */
export const LISTENER_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--token-file <file>',
    description: 'the bearer token of the port, mode 0600; made when absent (default: serve.token beside state.db)',
    values: 'file',
  },
  {
    flags: '--allow-host <host>',
    description: 'a further value of Host that is answered',
    repeatable: true,
    value: hostName,
  },
];
