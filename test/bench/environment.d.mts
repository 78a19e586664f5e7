export function measuredEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string>;
