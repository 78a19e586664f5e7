import { foldedValue } from '../../protocol/constraints/folded.js';
import { numberIn } from '../../protocol/constraints/number-text.js';
import type { Json } from '../../protocol/json/values.js';
import { violation, type Violation } from '../decision.js';
import { MAX_REPORTED, said, shown, shownAll, type ConstraintCheck, type Judged } from './judged.js';
import type { Reads, Scalar } from '../../protocol/constraints/rules.js';
import { readBy } from './reading/reads.js';

/** Every value of the param is on the list, exactly as it is written there. */
export const allowedValues: ConstraintCheck<'allowed_values'> = (rule, judged) =>
  offenders(rule.reads, judged, (value) => !rule.values.has(value)).map(({ param, values }) =>
    violation(rule.code, `${said(values[0]!)} (in "${shown(param)}") is not in "${rule.name}".`, {
      requested: shownAll(values),
      allowed: rule.written,
      param: shown(param),
      agent_id: judged.agentId,
    }),
  );

/** No value of the param is on the list, in any spelling. What cannot be compared, a list in a list or an object, could hide one and is refused. */
export const deniedValues: ConstraintCheck<'denied_values'> = (rule, judged) =>
  offenders(rule.reads, judged, (value) =>
    typeof value === 'object' ? value !== null : isDenied(value, rule.values),
  ).map(({ param, values }): Violation =>
    violation(rule.code, `${said(values[0]!)} (in "${shown(param)}") is denied by "${rule.name}".`, {
      requested: shownAll(values),
      // A deny-list names no value that would do.
      allowed: null,
      param: shown(param),
      agent_id: judged.agentId,
    }),
  );

/** What a tool reads as a number that is denied is denied, in each of its readings, and what it reads as a list by each part. */
function isDenied(value: Scalar, denied: ReadonlySet<Json>): boolean {
  const text = foldedValue(value);
  if (isOneOf(text, denied)) return true;
  if (typeof value !== 'string') return false;
  const parts = partsOf(value);
  // Of `1,000` the part `000` is no number of its own.
  const apart = numberIn(text) === null ? isOneOf : (part: string): boolean => denied.has(part);
  return parts.some((part) => apart(part, denied));
}

function isOneOf(text: string, denied: ReadonlySet<Json>): boolean {
  return denied.has(text) || (/\p{Nd}/u.test(text) && numbersRead(text).some((each) => denied.has(each)));
}

const PARTED = /[,;|\u3001\t\r\n]/;
const WRAPPED = /^[["'`({]|[\]"'`)}]$/;
const WRAPPING = new Set(`["'\`({]}) `);

/** The parts of a text that a tool could take for a list (`root,bob`, `["root"]`), folded; empty for any other text. */
function partsOf(value: string): readonly string[] {
  const text = value.normalize('NFKC').trim();
  if (!PARTED.test(text) && !WRAPPED.test(text)) return [];
  return text
    .split(PARTED)
    .map((part) => foldedValue(unwrapped(part)))
    .filter((part) => part !== '');
}

// By hand: an expression for both ends takes quadratic time on what could be an end inside.
function unwrapped(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && WRAPPING.has(text[from]!)) from++;
  while (to > from && WRAPPING.has(text[to - 1]!)) to--;
  return text.slice(from, to);
}

const OCTAL = /^[+-]?0[0-7]+$/;

/** `22.0` and `0x16` are 22 to most tools, `2_2` to some, `026` to those that take a zero in front for octal, `٢٢` to Python. */
function numbersRead(text: string): readonly number[] {
  const tight = text.replace(/(?<=[0-9a-f])_(?=[0-9a-f])/g, '');
  const decimal = text.startsWith('-') ? null : numberIn(tight);
  return [
    Number(tight),
    ...(OCTAL.test(tight) ? [parseInt(tight, 8)] : []),
    ...(decimal === null ? [] : [Number(`${decimal.coefficient}e-${decimal.scale}`)]),
  ];
}

interface Offenders {
  readonly param: string;
  readonly values: readonly Json[];
}

function offenders(reads: Reads, { members }: Judged, offends: (value: Json) => boolean): Offenders[] {
  const found: Offenders[] = [];
  for (const { path, value } of readBy(members, reads)) {
    const values = (Array.isArray(value) ? (value as readonly Json[]) : [value]).filter(offends);
    if (values.length > 0) found.push({ param: path, values });
    if (found.length === MAX_REPORTED) break;
  }
  return found;
}
