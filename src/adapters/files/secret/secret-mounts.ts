/** Folders whose modes a container's runtime sets: Kubernetes mounts secrets 0644 by default, Docker 0444. */
import { realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';

const ALWAYS = ['/run/secrets', '/var/run/secrets'] as const;

type Env = Readonly<Record<string, string | undefined>>;

/** The folders of mounted secrets here: the usual two and the one that AIP_SECRETS_DIR names. */
export function secretMounts(env: Env): readonly string[] {
  const named = env['AIP_SECRETS_DIR'];
  return named === undefined || named === '' ? ALWAYS : [...ALWAYS, resolve(named)];
}

/**
 * True when `path` stands in one of `mounts` and leads to no place outside of it: Kubernetes reaches its secrets by
 * `key -> ..data/key -> ..2026_11_28/key`. A link that leaves the mount gets no exemption, for its target's modes are its owner's.
 */
export function inSecretMount(path: string, mounts: readonly string[]): boolean {
  const named = resolve(path);
  const mount = mounts.find((folder) => named.startsWith(`${folder}${sep}`));
  if (mount === undefined) return false;
  try {
    return realpathSync(named).startsWith(`${realpathSync(mount)}${sep}`);
  } catch {
    return false;
  }
}
