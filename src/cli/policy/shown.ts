/** Values of passports in the lines of the policy commands. */
import type { Json } from '../../protocol/json/values.js';
import { clean } from '../render/terminal/text.js';

/** Characters of a value on a line. */
const SHOWN = 120;
/** Of what both begin with, where the rest of it is left out. */
const LEAD = 40;

/** `old -> new`, each cut where it is long, and begun shortly before they differ where that would be cut off. */
export function shownChange(before: Json, after: Json): string {
  const [old, next] = [textOf(before), textOf(after)];
  let same = 0;
  while (same < old.length && old[same] === next[same]) same += 1;
  const from = same > SHOWN - LEAD ? same - LEAD : 0;
  return `${cut(old, from)} -> ${cut(next, from)}`;
}

/** One line; null is none. */
function textOf(value: Json): string {
  return value === null ? 'none' : clean(JSON.stringify(value));
}

function cut(text: string, from: number): string {
  const end = from + SHOWN;
  return `${from > 0 ? '...' : ''}${text.slice(from, end)}${text.length > end ? '...' : ''}`;
}
