/** Who approves, apart from what needs a person: how two forms of `require_approval` differ, and whose word tells them apart. */
import { sameJson } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { countIn, enoughFor, peopleIn, personsWords } from '../redteam/approvals/people.js';
import type { PersonsWord } from '../redteam/scene.js';

/** One part that differs, and the constraint as it was with nothing but it. */
export interface ApprovalPart {
  /** `require_approval`, `require_approval.approvers` or `require_approval.count`. */
  readonly path: string;
  readonly before: Json;
  readonly after: Json;
  readonly alone: Json;
}

const PATH = 'require_approval';

/** The parts that differ. Null stands for a passport that asks nobody. */
export function approvalParts(before: Json, after: Json): ApprovalPart[] {
  const whole = { path: PATH, before, after, alone: after };
  const [a, b] = [partsOf(before), partsOf(after)];
  if (a === null || b === null) return sameJson(before, after) ? [] : [whole];
  const found: ApprovalPart[] = [];
  const add = (path: string, was: Json, is: Json, alone: Json): void => {
    if (!sameJson(was, is)) found.push({ path, before: was, after: is, alone });
  };
  add(PATH, valueOf(a.rest, null, 1), valueOf(b.rest, null, 1), valueOf(b.rest, a.approvers, a.count));
  const path = `${PATH}.approvers`;
  if (!fits(a.count, b.approvers) || !fits(b.count, a.approvers)) {
    // The one names fewer than have to approve in the other: neither can be tried without the other.
    const [was, is] = [a, b].map(({ approvers, count }) => ({ approvers, count }));
    add(path, was!, is!, valueOf(a.rest, b.approvers, b.count));
    return found;
  }
  add(path, a.approvers, b.approvers, valueOf(a.rest, b.approvers, a.count));
  add(`${PATH}.count`, a.count, b.count, valueOf(a.rest, a.approvers, b.count));
  return found;
}

interface Parts {
  readonly rest: JsonObject;
  readonly approvers: Json;
  readonly count: number;
}

/** Null for none, and for one that is for some actions only. */
function partsOf(value: Json): Parts | null {
  if (value === true) return { rest: {}, approvers: null, count: 1 };
  if (!isObject(value) || Object.hasOwn(value, 'value')) return null;
  const { approvers = null, count: _, ...rest } = value;
  return { rest, approvers, count: countIn(value) };
}

function fits(count: number, approvers: Json): boolean {
  return count <= personsWords(peopleIn({ approvers })).length;
}

function valueOf(rest: JsonObject, approvers: Json, count: number): Json {
  const value = { ...rest, ...(approvers === null ? {} : { approvers }), ...(count === 1 ? {} : { count }) };
  return Object.keys(value).length === 0 ? true : value;
}

/** Whom only one of two names is tried with as many; a list of persons is not tried in every choice of some. */
const MOST_TRIED = 16;

/** Whose words one of two forms may take for enough, and the other not. */
export function tellingWords(values: readonly Json[]): (readonly PersonsWord[])[] {
  const people = values.map((value) => peopleIn(value));
  const keys = people.map((each) => new Set((each ?? []).map(keyed)));
  const found = values.map(enoughFor);
  const counts = [...new Set(values.map(countIn))];
  people.forEach((own, i) => {
    const others = keys.filter((_, j) => j !== i);
    const differing = (own ?? []).filter((each) => others.some((other) => !other.has(keyed(each))));
    // With the others of that list, who are as many as it demands.
    for (const each of differing.slice(0, MOST_TRIED)) {
      // With others of that list, so that they are as many as either demands.
      const words = personsWords([each, ...own!.filter((other) => other !== each)]);
      for (const count of counts) found.push(words.slice(0, count));
    }
    const common = (own ?? []).filter((each) => others.every((other) => other.has(keyed(each))));
    for (const count of counts) found.push(personsWords(common).slice(0, count));
  });
  const distinct = new Map(found.map((words) => [JSON.stringify(words), words]));
  return [...distinct.values()].filter((words) => words.length > 0);
}

function keyed({ id, key }: { readonly id: string; readonly key: string }): string {
  return `${id} ${key}`;
}
