/** Revoking is easy on purpose; undoing it needs more. Each role may do what the ones before it may. */
export const ROLES = ['observer', 'verifier', 'operator', 'admin'] as const;
/** What a key may do. */
export type Role = (typeof ROLES)[number];

/** True for the name of a role. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** True when `role` may do what `needed` may. */
export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
