/** What is asked of the keychain's child, and what it answers: JSON over its stdin and stdout. */

/** Calls are killed after this long: a bus that never answers blocks keytar's thread for good. */
export const CHILD_TIMEOUT_MS = 3000;

export interface ChildRequest {
  /** Where the native addon may be, best first. */
  readonly addons: readonly string[];
  readonly op: 'read' | 'create' | 'delete';
  readonly service: string;
  readonly account: string;
  /** The text to store; null unless creating. */
  readonly secret: string | null;
}

export type ChildReply =
  /** What the keychain returned: text or null of a read, of the read-back after a create, or whether a delete deleted. */
  | { readonly kind: 'answered'; readonly value: string | boolean | null }
  | { readonly kind: 'exists' }
  /** No addon could be loaded. */
  | { readonly kind: 'unloadable'; readonly reason: string }
  /** The keychain said no, in the words of the OS. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'crashed'; readonly reason: string };
