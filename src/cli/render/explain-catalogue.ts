import { AIP1_CODES } from '../../protocol/aip1/codes.js';
import { EXIT_OF_CONCERN, NATIVE_CODES, type CodeEntry } from '../../protocol/codes.js';
import { DIALECT_NAMES, type DialectName } from '../../protocol/dialects.js';

/** The codes of one dialect; the same number may mean another thing in another dialect. */
export interface Catalogue {
  readonly dialect: DialectName;
  readonly codes: readonly CodeEntry[];
}

export interface FoundCode {
  readonly dialect: DialectName;
  readonly entry: CodeEntry;
}

const CODES: Readonly<Record<DialectName, readonly CodeEntry[]>> = {
  native: Object.values(NATIVE_CODES),
  'aip-1': Object.values(AIP1_CODES),
};

/** Every dialect's codes, native first. */
export const CATALOGUES: readonly Catalogue[] = DIALECT_NAMES.map((dialect) => ({ dialect, codes: CODES[dialect] }));

/** The entry of a refusal; null for a code that a hook made up. */
export function entryOf(code: string, dialect: DialectName): CodeEntry | null {
  return CODES[dialect].find((entry) => entry.code === code) ?? null;
}

/** All entries, one a dialect at most, for `AIP-E202`, `e202`, `202` or `MONETARY_LIMIT_EXCEEDED`, in any case. */
export function findCodes(query: string): FoundCode[] {
  const wanted = nameForm(query);
  const code = codeForm(query);
  return CATALOGUES.flatMap(({ dialect, codes }) =>
    codes.filter((entry) => entry.code === code || entry.name === wanted).map((entry) => ({ dialect, entry })),
  );
}

/** At most three codes that `query` may have meant, nearest first; empty when nothing is near. */
export function nearestCodes(query: string): CodeEntry[] {
  const wanted = nameForm(query.slice(0, 64));
  const code = codeForm(query.slice(0, 64));
  const seen = new Set<string>();
  return CATALOGUES.flatMap(({ codes }) => codes)
    .map((entry) => ({ entry, away: Math.min(awayFromName(wanted, entry.name), awayFromCode(code, entry.code)) }))
    .filter(({ entry, away }) => away < 1 && !seen.has(entry.code) && seen.add(entry.code))
    .sort((a, b) => a.away - b.away)
    .slice(0, 3)
    .map(({ entry }) => entry);
}

/** The exit code of a refusal with this entry (protocol, "Exit codes"). */
export function exitCodeOf(entry: Pick<CodeEntry, 'concern'>): number {
  return EXIT_OF_CONCERN[entry.concern];
}

function codeForm(query: string): string | null {
  const match = /^(?:aip[-_ ]?)?e?([0-9]{1,4})$/i.exec(query.trim());
  return match === null ? null : `AIP-E${match[1]}`;
}

function nameForm(query: string): string {
  return query
    .trim()
    .toUpperCase()
    .replace(/[-\s]+/g, '_');
}

/** 0 when equal, below 1 when a person may have meant it: part of the name, or a few slips in it. */
function awayFromName(wanted: string, name: string): number {
  if (wanted.length < 3) return 1;
  // Names that hold all of it are equally near, and the catalogue has the more usual one first.
  if (name.includes(wanted)) return name === wanted ? 0 : 0.2;
  return Math.min(...phrasesOf(name).map((phrase) => edits(wanted, phrase) / (0.35 * phrase.length)));
}

/** Every run of words in a name: people remember the middle of one. */
function phrasesOf(name: string): string[] {
  const words = name.split('_');
  return words.flatMap((_, i) => words.slice(i).map((_, j) => words.slice(i, i + j + 1).join('_')));
}

/** 0 when equal; another code is near when one digit differs or is missing. */
function awayFromCode(wanted: string | null, code: string): number {
  if (wanted === null) return 1;
  if (wanted === code) return 0;
  return edits(wanted, code) === 1 ? 0.5 + Math.abs(Number(wanted.slice(5)) - Number(code.slice(5))) / 10_000 : 1;
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts (optimal string alignment). */
function edits(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
