import type { Plugin } from 'esbuild';
export const root: string;
export function compile(
  entryPath: string,
  outfile: string,
  logLevel: 'silent' | 'warning',
  plugins?: readonly Plugin[],
): Promise<void>;
