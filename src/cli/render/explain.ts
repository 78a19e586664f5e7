import type { JsonObject } from '../../protocol/json/values.js';
import { CATALOGUES, exitCodeOf, findCodes, type Catalogue, type Found } from './explain-catalogue.js';
import type { Paint } from './terminal/paint.js';
import { wrap } from './terminal/text.js';

/** What `aip explain` prints for a person, every dialect that has the code; null when none has. */
export function renderExplain(
  query: string,
  paint: Paint,
  { width = 80, catalogues = CATALOGUES }: { width?: number; catalogues?: readonly Catalogue[] } = {},
): string | null {
  const found = findCodes(query, catalogues);
  if (found.length === 0) return null;
  return found.map((each) => section(each, paint, width)).join('\n\n');
}

/** The same as data, for `--json`; null when no dialect has the code. */
export function explainJson(query: string, catalogues = CATALOGUES): JsonObject[] | null {
  const found = findCodes(query, catalogues);
  return found.length === 0 ? null : found.map(jsonOf);
}

/** The table of codes in Markdown, as the README holds it. */
export function codesTable(catalogue: Catalogue = CATALOGUES[0]!): string {
  const rows = catalogue.codes.map((entry) =>
    [`\`${entry.code}\``, `\`${entry.name}\``, cell(entry.meaning), String(exitCodeOf(entry))].join(' | '),
  );
  return [
    '| code | name | what happened | exit |',
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

function section({ dialect, entry }: Found, paint: Paint, width: number): string {
  const facts = ['agent_id', ...entry.facts].join(', ');
  return [
    `${paint.bold(`${entry.code} ${entry.name}`)}  ${paint.dim(`${dialect} dialect`)}`,
    '',
    ...labelled('meaning', entry.meaning, paint, width),
    ...labelled('details', facts, paint, width),
    ...labelled('exit', `${exitCodeOf(entry)} (${REFUSED_FOR[entry.concern]})`, paint, width),
    ...labelled('next', entry.remedy, paint, width),
  ].join('\n');
}

const REFUSED_FOR: Readonly<Record<Found['entry']['concern'], string>> = {
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

function jsonOf({ dialect, entry }: Found): JsonObject {
  return {
    dialect,
    code: entry.code,
    name: entry.name,
    concern: entry.concern,
    meaning: entry.meaning,
    facts: ['agent_id', ...entry.facts],
    remedy: entry.remedy,
    exit_code: exitCodeOf(entry),
  };
}

// A `|` would start a new column.
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
