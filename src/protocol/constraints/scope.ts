/** `{value, params, actions}`: the form that every constraint may be written in (protocol, section 5). */
import { MAX_ACTION_LENGTH, MAX_LIST } from '../limits.js';
import { lazy } from '../lazy.js';
import { isObject, type Json } from '../json/values.js';
import { nameOf, type Name } from '../naming/names.js';

/** Called with the path and what is wrong there. */
export type Refuse = (path: string, reason: string) => null;

/** A constraint with what it says of itself. */
export interface Written {
  readonly value: Json;
  /** The only params that it reads; null where it names none. */
  readonly params: readonly Name[] | null;
  /** The only actions that it is for; null for all. */
  readonly actions: ReadonlySet<string> | null;
}

const MEMBERS = ['value', 'param', 'params', 'actions'];
const MAX_PARAM_LENGTH = 128;
const PLAIN = /^[!-~]+$/;
const VISIBLE = lazy(() => /^[^\p{C}\p{Z}]+$/u);

/** Takes the form apart; a value in any other form stands for itself. Null after `refuse` was told what is wrong. */
export function writtenAs(path: string, value: Json, refuse: Refuse): Written | null {
  if (!isObject(value) || !Object.hasOwn(value, 'value')) return { value, params: null, actions: null };
  const stranger = Object.keys(value).find((member) => !MEMBERS.includes(member));
  if (stranger !== undefined)
    return refuse(`${path}.${stranger.slice(0, 64)}`, 'is not part of {value, params, actions}');
  if (value.param !== undefined && value.params !== undefined)
    return refuse(`${path}.param`, 'is given as "params" too');
  const params = scopedParams(value.params, value.param, path, refuse);
  const actions = actionsOf(value.actions, `${path}.actions`, refuse);
  return params === undefined || actions === undefined ? null : { value: value.value!, params, actions };
}

/** The names in `param` and `params`; null where neither is given, undefined after `refuse`. */
export function scopedParams(
  params: Json | undefined,
  param: Json | undefined,
  path: string,
  refuse: Refuse,
): readonly Name[] | null | undefined {
  if (params === undefined && param === undefined) return null;
  const where = params === undefined ? `${path}.param` : `${path}.params`;
  const given = params === undefined ? [param!] : params;
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_LIST) {
    refuse(where, 'is not a list of names of params');
    return undefined;
  }
  const list = given as readonly Json[];
  const odd = list.findIndex((name) => typeof name !== 'string' || !isParam(name));
  if (odd !== -1) {
    refuse(params === undefined ? where : `${where}[${odd}]`, 'is not the name of a param');
    return undefined;
  }
  return list.map((name) => nameOf(name as string));
}

/** The actions of a constraint; null where none are given, undefined after `refuse`. */
export function actionsOf(
  value: Json | undefined,
  path: string,
  refuse: Refuse,
): ReadonlySet<string> | null | undefined {
  if (value === undefined) return null;
  // For no action at all it would read like a safeguard and be none.
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LIST) {
    refuse(path, 'is not a list of actions');
    return undefined;
  }
  const list = value as readonly Json[];
  const odd = list.findIndex((name) => !isAction(name));
  if (odd === -1) return new Set(list as readonly string[]);
  refuse(`${path}[${odd}]`, 'is not a name');
  return undefined;
}

/** True for a text that an action can be named. */
export function isAction(name: Json): name is string {
  return typeof name === 'string' && name.length <= MAX_ACTION_LENGTH && isVisible(name);
}

function isParam(name: string): boolean {
  return isVisible(name) && (name.length <= MAX_PARAM_LENGTH || [...name].length <= MAX_PARAM_LENGTH);
}

function isVisible(text: string): boolean {
  return PLAIN.test(text) || VISIBLE().test(text);
}
