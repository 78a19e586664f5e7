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
