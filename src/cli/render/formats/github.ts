import type { Decision, Refusal } from '../../../verify/decision.js';
import { factsLine, named, refusalsOf, remedyOf, cleanSentence, sentenceOf } from '../decision/facts.js';
import { documentPlace } from '../decision/place.js';
import { clean, fit } from '../terminal/text.js';
import type { Unread } from './unread.js';

/** GitHub shows at most ten error annotations of a step, and drops the others without a word. */
export const MAX_ANNOTATIONS = 10;
/** A step summary may hold 1 MiB; a longer one is dropped as a whole. */
const MAX_ROWS = 200;
const MAX_ROWS_BYTES = 960 * 1024;
const MAX_CELL = 300;

/** What stands for a refusal where something else than intents is told of. */
export interface GithubWording {
  readonly word: string;
  /** Of those that are not annotated. */
  readonly more: (count: number) => string;
}

const INTENTS: GithubWording = {
  word: 'REFUSED',
  more: (count) =>
    `${count} more refused ${count === 1 ? 'intent is' : 'intents are'} not annotated; the step summary has them.`,
};

/**
 * Workflow commands that mark refused intents, and a step summary in Markdown for `GITHUB_STEP_SUMMARY`. Both without a final
 * newline; `lines` is empty when nothing was refused.
 */
export function renderGithub(
  decisions: readonly Decision[],
  unread: readonly Unread[] = [],
  { word, more: saidOf }: GithubWording = INTENTS,
): { lines: string; summary: string } {
  const refused = decisions.filter((decision) => !decision.success);
  const lines = refused.slice(0, MAX_ANNOTATIONS).map((each) => annotation(each, word));
  const more = refused.length - lines.length;
  if (more > 0) lines.push(`::notice title=aip::${saidOf(more)}`);
  return { lines: [...githubErrors(unread), ...lines].join('\n'), summary: summaryOf(decisions, refused) };
}

/** Workflow commands of GitHub, a line each. */
export function githubErrors(unread: readonly Unread[]): string[] {
  return unread
    .slice(0, MAX_ANNOTATIONS)
    .map(
      ({ source, code, message }) =>
        `::error file=${property(source)},title=${property(code)}::${data(clean(message))}`,
    );
}

function annotation(decision: Decision, word: string): string {
  const [first, ...others] = refusalsOf(decision);
  const { file, line } = documentPlace(decision.source);
  const properties = [
    ...(file === null ? [] : [['file', file]]),
    ...(line === null || file === null ? [] : [['line', String(line)]]),
    ['title', [...new Set([named(first!.error_code), named(first!.error_message)])].join(' ')],
  ];
  const remedy = remedyOf(first!.error_code, decision);
  const text = [
    subject(decision, word),
    cleanSentence(decision.message),
    ...[factsLine(first!.details, decision)].filter((facts) => facts !== ''),
    ...others.map(
      (other) => `also ${named(other.error_code)} ${named(other.error_message)}: ${sentenceOf(other, decision)}`,
    ),
    ...(remedy === null ? [] : [`next: ${remedy}`]),
  ].join('\n');
  return `::error ${properties.map(([name, value]) => `${name}=${property(value!)}`).join(',')}::${data(text)}`;
}

function subject({ agent_id, action, source }: Decision, word: string): string {
  const what = action === null ? 'an unreadable document' : named(action);
  const where = source !== null && documentPlace(source).file === null ? ` (${named(source)})` : '';
  return `${word} ${what}${agent_id === null ? '' : ` by ${named(agent_id)}`}${where}`;
}

/** Text of a workflow command. The runner decodes these and nothing else; a raw line break would end the command and could start another. */
export function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** The value of a property of a workflow command. */
export function property(text: string): string {
  // Line breaks and colons are encoded; nothing else that a terminal obeys can be.
  const shown = text.split(/([\r\n:])/).map((part, i) => (i % 2 === 0 ? clean(part) : part));
  return data(shown.join('')).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function summaryOf(decisions: readonly Decision[], refused: readonly Decision[]): string {
  const title = `### aip: ${decisions.length - refused.length} verified, ${refused.length} refused`;
  if (refused.length === 0) return title;
  const rows: string[] = [];
  let bytes = 0;
  for (const decision of refused.slice(0, MAX_ROWS)) {
    const cells = [
      refusalsOf(decision).map(codeCell).join('<br>'),
      markdown(decision.agent_id ?? 'unknown'),
      markdown(decision.action ?? 'unreadable'),
      markdown(decision.message),
      markdown(decision.source ?? ''),
    ];
    const row = `| ${cells.join(' | ')} |`;
    bytes += Buffer.byteLength(row) + 1;
    if (bytes > MAX_ROWS_BYTES) break;
    rows.push(row);
  }
  const more = refused.length - rows.length;
  return [
    title,
    '',
    '| Refused with | Agent | Action | Why | Source |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...(more > 0 ? ['', `and ${more} more refused`] : []),
  ].join('\n');
}

function codeCell({ error_code, error_message }: Refusal): string {
  return `${markdown(error_code)} ${markdown(error_message)}`;
}

/**
 * Text that Markdown shows as it is. Everything that could be syntax (pipes, backticks, tags, emphasis, `#12`, the `:` and `.` of
 * bare links) becomes a numeric entity; the comment after `@` keeps names and addresses from being linked once it is decoded.
 */
function markdown(text: string): string {
  return fit(clean(text), MAX_CELL)
    .replace(/[^\p{L}\p{N} ,_-]/gu, (character) => `&#${character.codePointAt(0)!};`)
    .replaceAll('_', '&#95;')
    .replaceAll('&#64;', '&#64;<!-- -->');
}
