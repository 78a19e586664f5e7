/** How the words of several files become one. No file makes a decision weaker than it is without it. */
import { KEY_NAMES, KEYS, type KeyName, type KeySpec } from './keys.js';

/** What one file says, as it is written there. */
export interface Layer {
  readonly path: string;
  readonly values: Readonly<Partial<Record<KeyName, unknown>>>;
}

/** A value, as it is written, and the file that it is from. */
export interface Said {
  readonly shown: unknown;
  readonly path: string;
}

/** Keys that a project file has no say in: what is logged, how scores are made, who is told
 * and what is shared belong to who runs the verifier. */
export function isUsersAlone(name: KeyName): boolean {
  return /^(?:log|trust|monitor|state)\./.test(name);
}

/**
 * What the trusted project files (nearest first) and the user's file say together. `verify.*` and `revocation.*`: the stricter.
 * Everything else but hooks and principals, which `hooksOf` and `principalsOf` put together: the nearest.
 */
export function combined(project: readonly Layer[], user: Layer | null): Partial<Record<KeyName, Said>> {
  const said: Partial<Record<KeyName, Said>> = {};
  for (const name of KEY_NAMES) {
    const layers = [...(isUsersAlone(name) ? [] : project), ...(user === null ? [] : [user])];
    const candidates = layers.flatMap(({ path, values }): Said[] =>
      values[name] === undefined ? [] : [{ shown: values[name], path }],
    );
    const [first, ...others] = candidates;
    if (first === undefined) continue;
    said[name] = /^(?:verify|revocation)\./.test(name)
      ? others.reduce((strictest, other) => stricter(name, strictest, other), first)
      : first;
  }
  return said;
}

function stricter(name: KeyName, one: Said, other: Said): Said {
  const { kind, loosens } = KEYS[name] as KeySpec<unknown>;
  if (loosens !== undefined) return loosens(kind.read(one.shown), kind.read(other.shown)) ? other : one;
  if (!Array.isArray(one.shown) || !Array.isArray(other.shown)) return other;
  const shared = one.shown.filter((each) => (other.shown as unknown[]).includes(each));
  return { shown: shared, path: one.path };
}

/** Hooks add up: each file's own, the user's last. */
export function hooksOf(layers: readonly Layer[], own: (path: string, from: string) => string): string[] {
  const all = layers.flatMap(({ path, values }) => ((values.hooks ?? []) as string[]).map((hook) => own(hook, path)));
  return [...new Set(all)];
}

/**
 * The principals that every file which names any agrees on, by canonical key. One that only some of them name is shut out (null):
 * without that it would fall back on a pin of this machine, which the file that names it meant to replace.
 */
export function principalsOf(layers: readonly Layer[]): Record<string, string | null> {
  const lists = layers.flatMap(({ values }) =>
    values.principals === undefined ? [] : [KEYS.principals.kind.read(values.principals) ?? {}],
  );
  const all = [...new Set(lists.flatMap((list) => Object.keys(list)))];
  return Object.fromEntries(
    all.map((did) => {
      const [first, ...others] = lists.map((list) => list[did] ?? null);
      return [did, others.every((key) => key === first) ? first! : null];
    }),
  );
}
