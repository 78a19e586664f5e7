/** What a flag's text says: `-o, --out <file>` has the names -o and --out, the key `out`, and takes a value. */
import type { OptionSpec } from '../spec.js';

export interface Flag {
  readonly names: readonly string[];
  readonly long: string;
  readonly takesValue: boolean;
  /** The placeholder as written, `<file>`; empty without a value. */
  readonly placeholder: string;
  /** Member of the options object: `--max-age` is `maxAge`, `--no-input` is `input`. */
  readonly key: string;
  readonly negated: boolean;
}

export function flagOf(option: OptionSpec): Flag {
  const placeholder = /[<[].*$/.exec(option.flags)?.[0] ?? '';
  const names = option.flags.replace(placeholder, '').trim().split(/, */);
  const long = names.find((name) => name.startsWith('--'))!;
  const negated = long.startsWith('--no-');
  const key = long.slice(negated ? 5 : 2).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { names, long, takesValue: placeholder !== '', placeholder, key, negated };
}
