/** Which action a tool stands for, where the user says so. */
import type { OptionSpec } from '../spec.js';

/** Tools and their actions, as given. */
export interface MapFlags {
  readonly map: readonly (readonly [tool: string, action: string])[];
}

/** `--map tool=action`. */
export const MAP_OPTION: OptionSpec = {
  flags: '--map <tool=action>',
  description: 'the action that a tool stands for, instead of its own',
  repeatable: true,
  value: toolAction,
};

/** Reads `tool=action`. @throws Error */
function toolAction(text: string): readonly [tool: string, action: string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new Error('Expected tool=action.');
  return [text.slice(0, at), text.slice(at + 1)];
}
