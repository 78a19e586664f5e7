import type { BuildOptions } from 'esbuild';
export const COMMON: BuildOptions;
