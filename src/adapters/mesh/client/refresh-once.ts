/** One question to the mesh, by a command that decides once and ends. */
import { MeshFollow, type MeshFollowOptions } from './follow.js';

/** Whom a question is asked of, and as which verifier. */
export type OnceOptions = Omit<MeshFollowOptions, 'once' | 'onProof' | 'onFailure'>;

/**
 * Asks the mesh once, within `timeoutMs`: true when the copy was proven current. What arrived is kept in the copy either way, and a verifier
 * says what it has applied. One that the mesh does not count is told the state of things all the same.
 */
export async function refreshOnce(options: OnceOptions, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  const asked = await ask(options, timeoutMs);
  if (typeof asked === 'boolean') return asked;
  options.onUncounted?.(asked.uncounted);
  return (await ask({ ...options, verifier: null }, until - performance.now())) === true;
}

function ask(options: OnceOptions, timeoutMs: number): Promise<boolean | { readonly uncounted: string }> {
  return new Promise((resolve, reject) => {
    let proven = false;
    const finish = (answer: boolean | { readonly uncounted: string }) => {
      clearTimeout(timer);
      follow.stop();
      resolve(answer);
    };
    const follow = new MeshFollow({
      ...options,
      once: true,
      onProof: () => {
        proven = true;
        if (follow.isConfirmed) finish(true);
      },
      onUncounted: (why) => finish({ uncounted: why }),
      onFailure: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    });
    // After the follower, whose copy may be damaged: a timer that found none would end the process.
    const timer = setTimeout(() => finish(proven), timeoutMs);
    follow.start();
  });
}
