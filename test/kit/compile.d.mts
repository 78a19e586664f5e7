export const root: string;
export function compile(entryPath: string, outfile: string, logLevel: 'silent' | 'warning'): Promise<void>;
