import { DIALECT_LABEL } from '../../../protocol/dialects.js';
import type { CheckReport, Decision } from '../../../verify/decision.js';
import { factsOf, named, refusalsOf, remedyOf, cleanSentence, sentenceOf } from './facts.js';
import type { Paint } from '../terminal/paint.js';
import { wrap } from '../terminal/text.js';
import { columnsOf } from '../terminal/width.js';

export interface DecisionLook {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
  /** Every check with its reason, also of a yes. */
  readonly verbose: boolean;
}

const INDENT = '  ';
const NARROWEST = 24;

/**
 * A decision for a person, without a final newline. A yes is one line; a refusal says in its first line that it is one and why,
 * then who wanted what, the facts, and in its last line what to do.
 */
export function renderDecision(decision: Decision, look: DecisionLook): string {
  return (decision.success ? accepted(decision, look) : refused(decision, look)).map(inert).join('\n');
}

// A CI runner that shows this takes a line starting with `::` for a command to itself (GitHub Actions). An action's name could
// spell one, and wrapping could bring it to the start of a line. Wrapping could also undo what `clean` did about `##[`.
function inert(line: string): string {
  return line.replace(/^(\s*:)(?=:)/, '$1 ').replaceAll('##[', '## [');
}

export interface DecisionCounts {
  readonly verified: number;
  readonly refused: number;
  /** How often each code was the reason of a refusal. */
  readonly codes?: ReadonlyMap<string, number>;
}

/** `12 verified, 3 refused (2 AIP-E202, 1 AIP-E301)`. */
export function renderSummary({ verified, refused, codes }: DecisionCounts, paint: Paint): string {
  const ok = `${verified} verified`;
  const no = `${refused} refused`;
  const reasons = [...(codes ?? [])].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const why = reasons.length === 0 ? '' : ` (${reasons.map(([code, count]) => `${count} ${named(code)}`).join(', ')})`;
  return `${verified > 0 ? paint.green(ok) : ok}, ${refused > 0 ? paint.red(no) : no}${why}`;
}

function accepted(decision: Decision, look: DecisionLook): string[] {
  const { paint } = look;
  const warnings = warningLines(decision, look);
  const checks = look.verbose ? checkList(decision.checks, look) : [];
  return [`${paint.green(paint.bold('ok'))} ${whoAndWhat(decision, paint)}`, ...warnings, ...checks];
}

function refused(decision: Decision, look: DecisionLook): string[] {
  const { paint, width } = look;
  const [first, ...others] = refusalsOf(decision);
  const label = DIALECT_LABEL[decision.dialect];
  const dialect = label === '' ? '' : ` ${paint.dim(`(${label})`)}`;
  const code = `${named(first!.error_code)} ${named(first!.error_message)}`;
  const next = remedyOf(first!.error_code, decision);
  return [
    `${paint.red(paint.bold('REFUSED'))} ${paint.bold(code)}${dialect}`,
    ...whoAndWhatLines(decision, look),
    ...wrap(cleanSentence(decision.message), width),
    ...factLines(factsOf(decision.details, decision), look),
    ...others.flatMap((other) => [
      ...hanging(
        'also ',
        `${named(other.error_code)} ${named(other.error_message)}: ${sentenceOf(other, decision)}`,
        width,
      ),
      ...factLines(factsOf(other.details, decision), look),
    ]),
    ...warningLines(decision, look),
    ...(look.verbose ? checkList(decision.checks, look) : checkLine(decision.checks, look)),
    ...(next === null ? [] : coloured(hanging('next: ', next, width), paint.cyan)),
  ];
}

function whoAndWhat(decision: Decision, paint: Paint): string {
  return whoAndWhatParts(decision, paint)
    .map(([, painted]) => painted)
    .join(' ');
}

/** The same in lines, broken between its parts alone. */
function whoAndWhatLines(decision: Decision, { paint, width }: DecisionLook): string[] {
  const lines: string[] = [];
  let used = 0;
  for (const [plain, painted] of whoAndWhatParts(decision, paint)) {
    const columns = columnsOf(plain);
    const fits = lines.length > 0 && used + 1 + columns <= width;
    if (fits) lines.push(`${lines.pop()!} ${painted}`);
    else lines.push(painted);
    used = fits ? used + 1 + columns : columns;
  }
  return lines;
}

function whoAndWhatParts({ agent_id, action, source }: Decision, paint: Paint): [plain: string, painted: string][] {
  const what = action === null ? 'an unreadable document' : named(action);
  const who = agent_id === null ? null : `by ${named(agent_id)}`;
  const where = source === null ? null : `(${source === '-' ? 'standard input' : named(source)})`;
  return [
    [what, action === null ? what : paint.bold(what)],
    ...(who === null ? [] : ([[who, who]] as [string, string][])),
    ...(where === null ? [] : ([[where, paint.dim(where)]] as [string, string][])),
  ];
}

function factLines(facts: readonly [string, string][], { paint, width }: DecisionLook): string[] {
  const column = Math.max(0, ...facts.map(([name]) => columnsOf(name)));
  return facts.flatMap(([name, value]) => {
    const label = `${INDENT}${name}${' '.repeat(column - columnsOf(name))}  `;
    const [first, ...rest] = wrap(value, Math.max(NARROWEST, width - columnsOf(label)));
    return [paint.dim(label) + first, ...rest.map((line) => ' '.repeat(columnsOf(label)) + line)];
  });
}

/** All checks at a glance: `passport ok  signature ok  nonce FAILED  timestamp -`. */
function checkLine(checks: readonly CheckReport[], { paint, width }: DecisionLook): string[] {
  const words = { passed: 'ok', failed: 'FAILED', skipped: '-' } as const;
  const lines: string[] = [];
  for (const { check, status } of checks) {
    const item = `${named(check)} ${words[status]}`;
    const last = lines.at(-1);
    if (last !== undefined && columnsOf(last) + 2 + columnsOf(item) <= width)
      lines[lines.length - 1] = `${last}  ${item}`;
    else lines.push(last === undefined ? `checks: ${item}` : `        ${item}`);
  }
  return coloured(lines, (line) => paint.dim(line));
}

function checkList(checks: readonly CheckReport[], { paint, width }: DecisionLook): string[] {
  const look = { passed: paint.green, failed: paint.red, skipped: paint.yellow } as const;
  return checks.flatMap(({ check, status, reason }) => {
    const label = `${INDENT}${named(check).padEnd(12)}`;
    const text = reason === undefined ? status : `${status}: ${cleanSentence(reason)}`;
    const [first, ...rest] = wrap(text, Math.max(NARROWEST, width - columnsOf(label)));
    return [paint.dim(label) + look[status](first!), ...rest.map((line) => ' '.repeat(columnsOf(label)) + line)];
  });
}

function warningLines({ warnings, revocation }: Decision, { paint, width }: DecisionLook): string[] {
  const said = warnings.map(({ message }) => cleanSentence(message));
  if (revocation.degraded && said.length === 0) said.push('The copy of the mesh on this machine is old.');
  return said.flatMap((message) => coloured(hanging('warning: ', message, width), paint.yellow));
}

function hanging(label: string, text: string, width: number): string[] {
  const [first, ...rest] = wrap(text, Math.max(NARROWEST, width - label.length));
  return [label + first!, ...rest.map((line) => ' '.repeat(label.length) + line)];
}

function coloured(lines: readonly string[], colour: (text: string) => string): string[] {
  return lines.map((line) => colour(line));
}
