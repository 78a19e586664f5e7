/**
 * A value made when it is first asked for. For patterns with Unicode properties: working out which characters those are
 * takes longer than judging an intent, and most intents are plain ASCII.
 */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
