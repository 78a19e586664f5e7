import { hostname } from 'node:os';
import { labelOf } from '../../../mesh/roster/member.js';

/** What people call this machine, as a label. */
export function hostLabel(): string {
  return labelOf(hostname());
}
