/**
 * One rule for secrets from every source: variables, files, standard input and mounted secrets say the same with the same bytes.
 * One byte order mark at the start and one line end at the end are what editors and `echo` add, and are taken off; anything else
 * is part of the secret.
 */

/** The secret in `text`. */
export function secretText(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/(?:\r\n|\n|\r)$/, '');
}

/**
 * The name of the quotes that a tool left around the secret, or null. A variable from a file that only a shell would have
 * unquoted (`docker run --env-file`, systemd units, CI settings) carries them, and every signature would be wrong.
 */
export function quotesLeftOn(secret: string): 'double quotes' | 'single quotes' | null {
  if (secret.length < 2) return null;
  const [first, last] = [secret[0], secret.at(-1)];
  if (first !== last) return null;
  return first === '"' ? 'double quotes' : first === "'" ? 'single quotes' : null;
}
