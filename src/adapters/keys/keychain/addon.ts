import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Where keytar's native addon may be, best first; empty when keytar is not installed. The addon is named by path because its
 * own loader needs the install script to have run, and install scripts are switched off on careful machines.
 */
export function addonPaths(): readonly string[] {
  let root;
  try {
    root = dirname(createRequire(import.meta.url).resolve('keytar/package.json'));
  } catch {
    return [];
  }
  const { platform, arch } = process;
  const folders = [`${platform}-${arch}`, ...(platform === 'linux' ? [`linuxmusl-${arch}`] : [])];
  return [
    join(root, 'build', 'Release', 'keytar.node'),
    ...folders.map((folder) => join(root, 'prebuilds', folder, 'keytar.node')),
  ];
}
