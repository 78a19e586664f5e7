import { isAbsolute, relative, resolve, sep } from 'node:path';

/** Where a step of CI runs. */
interface Step {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * A file as annotations and scanners name it: from the top of the checkout where the runner says where that is (`GITHUB_WORKSPACE`), else from this
 * folder. One that lies elsewhere keeps its path, and `-` stays standard input.
 */
export function repositoryFile({ cwd, env }: Step, file: string): string {
  if (file === '-') return file;
  for (const top of [env.GITHUB_WORKSPACE, cwd]) {
    if (top === undefined || top === '') continue;
    const path = relative(top, resolve(cwd, file));
    if (path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)) return path;
  }
  return file;
}
