/** How values are compared where no spelling may dodge the comparison: deny-lists and the triggers of approvals. */
import { canonicalize } from '../json/canonical.js';
import { visibleText } from '../naming/hidden.js';
import type { Scalar } from './rules.js';

/** The text after NFKC, without case, surrounding white space and invisible characters. */
export function foldedText(text: string): string {
  return visibleText(text).normalize('NFKC').trim().toUpperCase().toLowerCase();
}

/** A value of a deny-list as it is compared. The agent chooses the type of what it sends, so `7` is the text that JCS writes for it. */
export function foldedValue(value: Scalar): string {
  return foldedText(typeof value === 'string' ? value : canonicalize(value));
}
