/** The program of a thread: loads one file of hooks, and asks them. */
import { parentPort, workerData } from 'node:worker_threads';
import type { JsonObject } from '../../protocol/json/values.js';
import type { HookFile, ThreadQuestion, ThreadReply } from './hook-messages.js';

/** As the file exports it: anything, and mostly a hook. */
type Exported = { readonly name?: unknown; readonly verify?: (intent: JsonObject) => unknown } | null | undefined;

const port = parentPort!;
const say = (reply: ThreadReply): void => port.postMessage(reply);
const { href } = workerData as HookFile;

load().then(
  (hooks) => {
    say({ type: 'loaded', names: hooks.map(nameOf) });
    port.on('message', (question: ThreadQuestion) => {
      if (question === null) say({ type: 'alive' });
      else void answer(hooks[question.index], question);
    });
  },
  (error: unknown) => say({ type: 'unloadable', message: messageOf(error) }),
);

/** The default export is a hook, a class of hooks, or a list of either. */
async function load(): Promise<readonly Exported[]> {
  const exported = ((await import(href)) as { readonly default?: unknown }).default;
  const several: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return several.map((one) => (typeof one === 'function' ? new (one as new () => unknown)() : one) as Exported);
}

function nameOf(hook: Exported): string | null {
  if (typeof hook?.verify !== 'function') return null;
  const own = hook.name ?? hook.constructor?.name;
  return typeof own === 'string' ? own : '';
}

async function answer(hook: Exported, { id, intent }: NonNullable<ThreadQuestion>): Promise<void> {
  say({ type: 'taken', id });
  try {
    // Throws on what cannot be copied, such as a function.
    say({ type: 'answer', id, answer: await hook!.verify!(intent) });
  } catch (error) {
    say({ type: 'threw', id, message: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it threw';
}
