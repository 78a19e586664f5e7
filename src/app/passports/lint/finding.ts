/** Something a well-formed passport allows, or forbids in vain, that its principal may not have meant. */
export interface LintFinding {
  readonly code: string;
  /** `error`: a rule that cannot do what it says. `warning`: a door left open. `note`: worth a thought, and often fine. */
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  readonly hint: string;
  /** JSON Pointer (RFC 6901) to the member at fault, or to where the missing one belongs. */
  readonly path: string;
}
