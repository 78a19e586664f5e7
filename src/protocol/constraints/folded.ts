/** How values are compared where no spelling may dodge the comparison: deny-lists and the triggers of approvals. */
import { visibleText } from '../naming/hidden.js';
import type { Scalar } from './rules.js';

/** The text after NFKC, without case, surrounding white space and invisible characters. */
export function foldedText(text: string): string {
  return visibleText(text).normalize('NFKC').trim().toUpperCase().toLowerCase();
}

/** A value of a list as it is compared: texts folded, `7` and `"7"` stay different. */
export function foldedValue(value: Scalar): Scalar {
  return typeof value === 'string' ? foldedText(value) : value;
}
