import type { JsonObject } from '../../protocol/json/values.js';

/** What a thread of hooks starts with: the URL of their file. */
export interface HookFile {
  readonly href: string;
}

/** Null asks whether the thread still takes messages. */
export type ThreadQuestion = { readonly id: number; readonly index: number; readonly intent: JsonObject } | null;

export type ThreadReply =
  | { readonly type: 'loaded'; readonly names: readonly (string | null)[] }
  | { readonly type: 'unloadable'; readonly message: string }
  | { readonly type: 'taken'; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'threw'; readonly id: number; readonly message: string }
  | { readonly type: 'alive' };
