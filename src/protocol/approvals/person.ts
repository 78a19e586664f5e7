/** Approvers are told apart as they are stopped: every spelling of an id is the same person, and a denial of one denies them all. */
import { foldedText } from '../constraints/folded.js';
import { canonicalId, subjectOf } from '../identity/subject.js';

/** The one name of an approver among those who have to say yes: two keys under two spellings of an id are one person. */
export function personNamed(id: string): string {
  return foldedText(canonicalId(id) ?? id);
}

/** The spelling that a denial of an approver's id, or of a key id, is kept under; as it is where no denial can name it. */
export function deniableSpelling(id: string): string {
  return subjectOf(id)?.id ?? id;
}
