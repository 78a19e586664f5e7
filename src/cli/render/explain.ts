import type { JsonObject } from '../../protocol/json/values.js';
import { CATALOGUES, exitCodeOf, findCodes, type FoundCode } from './explain-catalogue.js';
import type { Paint } from './terminal/paint.js';
import { wrap } from './terminal/text.js';

/** What `aip explain` prints for a person, every dialect that has the code; null when none has. */
export function renderExplain(query: string, paint: Paint, { width = 80 } = {}): string | null {
  const found = findCodes(query);
  if (found.length === 0) return null;
  return found.map((each) => section(each, paint, width)).join('\n\n');
}

/** The same as data, for `--json`; null when no dialect has the code. */
export function explainJson(query: string): JsonObject[] | null {
  const found = findCodes(query);
  return found.length === 0 ? null : found.map(jsonOf);
}

/** Every code of every dialect, a row each: dialect, code, name, exit, meaning. */
export function codeRows(): string[][] {
  return CATALOGUES.flatMap(({ dialect, codes }) =>
    byCode(codes).map((entry) => [dialect, entry.code, entry.name, String(exitCodeOf(entry)), entry.meaning]),
  );
}

/** The same as data, for `--json`. */
export function codesJson(): JsonObject[] {
  return CATALOGUES.flatMap(({ dialect, codes }) => byCode(codes).map((entry) => jsonOf({ dialect, entry })));
}

/** As people look them up, whatever the order of the catalogue. */
function byCode<T extends { readonly code: string }>(codes: readonly T[]): readonly T[] {
  return [...codes].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function section({ dialect, entry }: FoundCode, paint: Paint, width: number): string {
  const facts = ['agent_id', ...entry.facts].join(', ');
  return [
    `${paint.bold(`${entry.code} ${entry.name}`)}  ${paint.dim(`${dialect} dialect${entry.extension === true ? ', an extension: not of RFC-001' : ''}`)}`,
    '',
    ...labelled('meaning', entry.meaning, paint, width),
    ...labelled('details', facts, paint, width),
    ...labelled('exit', `${exitCodeOf(entry)} (${REFUSED_FOR[entry.concern]})`, paint, width),
    ...labelled('next', entry.remedy, paint, width),
  ].join('\n');
}

const REFUSED_FOR: Readonly<Record<FoundCode['entry']['concern'], string>> = {
  who: 'refused: who asks',
  when: 'refused: when it was asked',
  what: 'refused: what was asked',
  standing: 'refused: the standing of the agent',
  approval: 'refused: a person has to approve, or a hook said no',
  mesh: 'the mesh, not the intent',
};

const LABEL = 9;

function labelled(label: string, text: string, paint: Paint, width: number): string[] {
  const [first, ...rest] = wrap(text, Math.max(20, width - 2 - LABEL));
  return [`  ${paint.dim(label.padEnd(LABEL))}${first}`, ...rest.map((line) => ' '.repeat(2 + LABEL) + line)];
}

function jsonOf({ dialect, entry }: FoundCode): JsonObject {
  return {
    dialect,
    code: entry.code,
    name: entry.name,
    concern: entry.concern,
    extension: entry.extension === true,
    meaning: entry.meaning,
    facts: ['agent_id', ...entry.facts],
    remedy: entry.remedy,
    exit_code: exitCodeOf(entry),
  };
}
