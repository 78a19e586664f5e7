import type { BuildOptions, Plugin } from 'esbuild';
export const COMMON: BuildOptions;
export function standIns(table: Readonly<Record<string, string>>): Plugin;
