/** What changed between the pinned tools of a server and those it lists now. */
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Json } from '../../protocol/json/values.js';
import { clean } from '../render/terminal/text.js';

interface KnownTool {
  readonly name: string;
  readonly hash: string;
  readonly tool: Readonly<Record<string, unknown>>;
}

/** One change. For a changed tool, the members that differ, as JSON; null where one side has none. */
export interface PinChange {
  readonly tool: string;
  readonly change: 'new' | 'gone' | 'changed';
  readonly members: readonly { readonly member: string; readonly before: Json; readonly after: Json }[];
}

/** The changes, by tool. */
export function changesOf(before: readonly KnownTool[], after: readonly KnownTool[]): PinChange[] {
  const then = new Map(before.map((tool) => [tool.name, tool]));
  const now = new Map(after.map((tool) => [tool.name, tool]));
  return [...new Set([...then.keys(), ...now.keys()])].sort().flatMap((name): PinChange[] => {
    const [old, young] = [then.get(name), now.get(name)];
    if (old === undefined) return [{ tool: name, change: 'new', members: [] }];
    if (young === undefined) return [{ tool: name, change: 'gone', members: [] }];
    if (old.hash === young.hash) return [];
    const members = [...new Set([...Object.keys(old.tool), ...Object.keys(young.tool)])].sort().flatMap((member) => {
      const [was, is] = [(old.tool[member] ?? null) as Json, (young.tool[member] ?? null) as Json];
      return canonicalize(was) === canonicalize(is) ? [] : [{ member, before: was, after: is }];
    });
    return [{ tool: name, change: 'changed', members }];
  });
}

/** The changes as lines for people. A server wrote these texts to mislead a model, perhaps: nothing in them acts on a terminal. */
export function changesText(changes: readonly PinChange[]): string[] {
  return changes.flatMap(({ tool, change, members }) => [
    `${change} ${visible(/^[\w./-]+$/.test(tool) ? tool : JSON.stringify(tool))}`,
    ...members.flatMap(({ member, before, after }) => [
      `  - ${visible(member)}: ${visible(JSON.stringify(before))}`,
      `  + ${visible(member)}: ${visible(JSON.stringify(after))}`,
    ]),
  ]);
}

function visible(text: string): string {
  return clean(text.replace(/\p{Cf}/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`));
}
