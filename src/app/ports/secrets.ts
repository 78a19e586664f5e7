/** How a secret's text is taken, whatever brings it: the rule of `protocol/secret-text.ts`, with a failure that names the source. */
import { quotesLeftOn, secretText } from '../../protocol/secret-text.js';
import { Failure } from '../failure.js';

/** The environment of a process, as a value. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The secret in `text`; `where` names its source in the failure (USAGE) about quotes that were left on. */
export function plainSecret(text: string, where: string): string {
  const secret = secretText(text);
  const quotes = quotesLeftOn(secret);
  if (quotes === null) return secret;
  throw new Failure('USAGE', `${where} still has ${quotes} around its value; a tool that is no shell left them on.`, {
    hint: 'write the value without quotes',
  });
}

/** The secret that a variable holds; null when it is unset or empty. */
export function secretVariable(env: Environment, name: string): string | null {
  const value = env[name];
  const secret = value === undefined ? '' : plainSecret(value, name);
  return secret === '' ? null : secret;
}

/**
 * Variables of aip's own that a child may have: where the home and the mesh are. Everything else of that name stays behind, secrets
 * above all: an agent's tool, or a program that signs with one key, must not sign with others, command the mesh, or raise alerts, nor
 * inherit params of another intent.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  'AIP_HOME',
  'AIP_MESH_URL',
  'AIP_MESH_PUBLIC_KEY',
  'AIP_MESH_INSECURE_HTTP',
]);

/** The environment of a program that is started for something of its own. */
export function commandEnvironment(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => ALLOWED.has(name) || !/^(?:AIP_.*|AGENT_PRIVATE_KEY)$/i.test(name)),
  );
}
