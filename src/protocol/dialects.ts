/** The dialects that exist, by the names that decisions and log entries use. */
export const DIALECT_NAMES = ['native', 'aip-1'] as const;

/** Which kind of document it was, and whose codes a refusal is from. */
export type DialectName = (typeof DIALECT_NAMES)[number];
