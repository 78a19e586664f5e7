/** Values of passports in the lines of the policy commands. */
import type { Json } from '../../protocol/json/values.js';
import { clean } from '../render/terminal/text.js';

const SHOWN = 120;

/** One line, cut where it is long; null is none. */
export function shownValue(value: Json): string {
  if (value === null) return 'none';
  const text = clean(JSON.stringify(value));
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}
