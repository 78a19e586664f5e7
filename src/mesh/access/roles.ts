/** Revoking is easy on purpose; undoing it needs more. */
export const ROLES = ['observer', 'approver', 'verifier', 'operator', 'admin', 'region'] as const;
/** What a key may do. */
export type Role = (typeof ROLES)[number];

/** What each role may beside its own. An approver answers requests and ships no logs; a verifier answers none. */
const INCLUDED: Readonly<Record<Role, readonly Role[]>> = {
  observer: [],
  approver: ['observer'],
  verifier: ['observer'],
  operator: ['observer', 'approver', 'verifier'],
  admin: ['observer', 'approver', 'verifier', 'operator'],
  // A following server copies the log; what it passes on is judged by its sender's own key.
  region: ['observer'],
};

/** True for the name of a role. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** True when `role` may do what `needed` may. */
export function mayAct(role: Role, needed: Role): boolean {
  return role === needed || INCLUDED[role].includes(needed);
}
