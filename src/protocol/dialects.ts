/** The dialects that exist. Each has a row in every table over `DialectName`, and one that forgets a row does not compile. */
export const DIALECT_NAMES = ['native', 'aip-1'] as const;

/** Which kind of document it was, and whose codes a refusal is from. */
export type DialectName = (typeof DIALECT_NAMES)[number];

/** True for the name of a dialect. */
export function isDialectName(value: unknown): value is DialectName {
  return (DIALECT_NAMES as readonly unknown[]).includes(value);
}

/** What stands beside a code, whose number may mean another thing in another dialect; empty where it needs no saying. */
export const DIALECT_LABEL: Readonly<Record<DialectName, string>> = { native: '', 'aip-1': 'aip-1' };
