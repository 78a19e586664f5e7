import { jsonOf } from '../json/shape.js';
import { isObject } from '../json/values.js';
import { readActionApproval, type ActionApproval } from './approval.js';
import { readApproval, type Approval } from './exact.js';

/** An approval of either kind, told apart by its `type`. @throws ShapeError */
export function readAnyApproval(bytes: Uint8Array): Approval | ActionApproval {
  const json = jsonOf(bytes);
  return isObject(json) && json.type === 'approval' ? readActionApproval(bytes) : readApproval(bytes);
}

/** True for the first version's approval of one exact intent. */
export function isExact(approval: Approval | ActionApproval): approval is Approval {
  return approval.document.type === 'intent-approval';
}

/** The two kinds apart. */
export function sortedApprovals(approvals: readonly (Approval | ActionApproval)[]): {
  readonly exact: readonly Approval[];
  readonly answers: readonly ActionApproval[];
} {
  const answers: ActionApproval[] = [];
  const exact: Approval[] = [];
  for (const each of approvals) {
    if (isExact(each)) exact.push(each);
    else answers.push(each);
  }
  return { exact, answers };
}
