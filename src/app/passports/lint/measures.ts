/** Lint of what constraints read: limits that measure nothing, rules for actions that are not declared, and destinations. */
import { holdsThing } from '../../../protocol/constraints/counted-names.js';
import { tierOf } from '../../../protocol/constraints/destinations.js';
import { parseConstraints } from '../../../protocol/constraints/grammar.js';
import type { Constraint } from '../../../protocol/constraints/rules.js';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import { nameOf, type Name } from '../../../protocol/naming/names.js';
import { declaredIn } from '../../../verify/constraints/reading/declared.js';
import { namesRead } from '../../../verify/constraints/reading/reads.js';
import type { LintFinding } from './finding.js';

/** An action as lint reads it. */
export interface Declared {
  readonly name: string;
  readonly schema: JsonObject | null;
}

/** What a constraint says, without the params and actions that it may say it for. */
export function valueOf(written: Json | undefined): Json | undefined {
  return isObject(written) && Object.hasOwn(written, 'value') ? written.value : written;
}

/** The actions that a constraint with a value of its own is for, and the others. */
export function partedBy<A extends Declared>(written: Json | undefined, all: readonly A[]): readonly [A[], A[]] {
  const { actions } = isObject(written) ? written : {};
  const isFor = ({ name }: A): boolean =>
    written !== undefined && (!Array.isArray(actions) || (actions as readonly Json[]).includes(name));
  return [all.filter(isFor), all.filter((action) => !isFor(action))];
}

/** Errors: constraints that read no member of any schema, and rules for actions that the passport does not declare. */
export function lintMeasures(actions: readonly Declared[], constraints: JsonObject): LintFinding[] {
  const parsed = parseConstraints(constraints);
  // What does not parse is no passport, and said elsewhere.
  if (!parsed.ok || actions.length === 0) return [];
  const dead = new Set<string>();
  for (const rule of parsed.constraints.all) {
    if (isDead(rule, actions)) dead.add(writtenName(rule));
  }
  return [...lintNames(actions, parsed.constraints.all), ...[...dead].map(deadConstraint)];
}

function deadConstraint(name: string): LintFinding {
  return {
    code: 'dead_constraint',
    severity: 'error',
    message: `"${name}" reads no param of any action that it is for: it limits nothing.`,
    hint: 'Name the params that it reads ({"value": ..., "params": [...]}), declare them in the schema of the action, or take it out.',
    path: `/constraints/${name}`,
  };
}

function lintNames(actions: readonly Declared[], rules: readonly Constraint[]): LintFinding[] {
  const declared = new Set(actions.map(({ name }) => name));
  const found = new Map<string, LintFinding>();
  for (const rule of rules) {
    const named = [
      ...(rule.actions ?? []),
      ...(rule.kind === 'approval' ? rule.triggers : []),
      ...(rule.kind === 'rate' && rule.action !== null ? [rule.action] : []),
    ];
    for (const action of named) {
      if (declared.has(action)) continue;
      const name = writtenName(rule);
      found.set(`${name} ${action}`, {
        code: 'undeclared_action',
        severity: 'error',
        message: `"${name}" is for the action "${action}", which the passport does not declare.`,
        hint: `Spell it as in "actions": ${[...declared].slice(0, 4).join(', ')}.`,
        path: `/constraints/${name}`,
      });
    }
  }
  return [...found.values()];
}

/** The name of a rule's constraint, as the passport writes it. */
export function writtenName(rule: Constraint): string {
  if (rule.kind === 'rate') return rule.name.split('.')[0]!;
  if (rule.kind === 'approval') return 'require_approval';
  if (rule.kind === 'required') return `require_${rule.reads.thing.written}`;
  return 'name' in rule ? rule.name : rule.kind;
}

function isDead(rule: Constraint, actions: readonly Declared[]): boolean {
  const reads = namesRead(rule);
  if (rule.kind === 'rate') return rule.thing !== null && !actions.some(({ name }) => holdsThing(name, rule.thing!));
  if (reads === null) return false;
  const own = actions.filter(({ name }) => rule.actions === null || rule.actions.has(name));
  // Without a schema any param can come.
  return own.length > 0 && own.every(({ schema }) => schema !== null && !declaredIn(schema).map(nameOf).some(reads));
}

/** The text params of a passport's schemas that `allowed_domains` reads by their names, and those that look like one and are not read. */
export interface DestinationParams {
  /** `send_email.to` */
  readonly read: readonly string[];
  readonly unread: readonly string[];
}

// Names that people give to destinations and that section 5.2 does not list.
const LOOKS_LIKE =
  /(?:^|_)(?:addr|contact|forward|from|gateway|ip|location|notify|peer|proxy|recipient|remote|sender|target|upload|where)s?(?:_|$)/;
const HINTS_AT = /e-?mail|\burl\b|https?:|web ?hook|\bhost|domain|@/i;

/**
 * The params in which a limit on domains reads destinations, as `action.param`, and those that look like destinations and are not read. Where
 * the passport has none, it is one for all actions that names no params.
 */
export function destinationParams(actions: readonly Declared[], constraints: JsonObject): DestinationParams {
  const parsed = parseConstraints(constraints);
  const rule = parsed.ok ? parsed.constraints.all.find(({ kind }) => kind === 'allowed_domains') : undefined;
  const reads = (rule === undefined ? null : namesRead(rule)) ?? ((name: Name): boolean => tierOf(name) !== null);
  const read: string[] = [];
  const unread: string[] = [];
  for (const { name: action, schema } of actions) {
    const isFor = rule?.actions?.has(action) !== false;
    for (const [text, property] of textsIn(schema)) {
      const name = nameOf(text);
      if (isFor && reads(name)) read.push(`${action}.${text}`);
      else if (tierOf(name) !== null || LOOKS_LIKE.test(name.words.join('_')) || hintsAt(property))
        unread.push(`${action}.${text}`);
    }
  }
  return { read, unread };
}

function hintsAt({ description, title, pattern }: JsonObject): boolean {
  return [description, title, pattern].some((text) => typeof text === 'string' && HINTS_AT.test(text));
}

/** Every property of a schema that can be text, or a list of texts. */
function textsIn(schema: Json | null | undefined): [string, JsonObject][] {
  if (!isObject(schema)) return [];
  const own = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  return own.flatMap(([text, property]): [string, JsonObject][] => {
    if (!isObject(property)) return [];
    const items = isObject(property.items) ? property.items : null;
    const nested = [...textsIn(property), ...textsIn(items)];
    return isText(property) || (items !== null && isText(items)) ? [[text, property], ...nested] : nested;
  });
}

function isText({ type }: JsonObject): boolean {
  return type === 'string' || (Array.isArray(type) && (type as readonly Json[]).includes('string'));
}
