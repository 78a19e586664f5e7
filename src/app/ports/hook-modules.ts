import type { JsonObject } from '../../protocol/json/values.js';

/** The hooks of one file, which run beside the program: what never ends there holds up nothing else. */
export interface HookModule {
  /** What each hook of the file calls itself, in order; null for what has no method `verify`. */
  readonly names: readonly (string | null)[];
  /** What hook `index` answers, whatever that is. @throws Error what it threw, and where its thread ended before it answered */
  ask(index: number, intent: JsonObject): Promise<unknown>;
}
