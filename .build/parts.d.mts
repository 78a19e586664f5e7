export const root: string;
export const NODE: string;
export const PARTS: Readonly<Record<string, { readonly entry: string }>>;
export function compilePart(name: string): Promise<string>;
export const partsForEsbuild: import('esbuild').Plugin;
export const partsForVite: import('vite').Plugin;
