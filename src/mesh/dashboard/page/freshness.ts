import type { PageWindow } from './browser.js';
import type { Kit } from './kit.js';

/** Figures without a newer answer for so long are called old, in ms: three polls. */
const OLD_AFTER_MS = 10_000;

/** Says in the page's head whether what stands below is of now: old figures would read as "nothing is stopped". */
export function freshness(window: PageWindow, { byId, say }: Kit) {
  /** The mesh's time of the last answer. */
  let time = '';
  let timer: number | null = null;
  let doubted = false;
  let line = { text: 'locked', look: 'dim' };

  const draw = (): void => {
    const isOld = doubted && line.look === 'ok';
    byId('state').className = `status ${isOld ? 'critical' : line.look}`;
    say(byId('state'), isOld ? 'out of date' : line.text);
  };

  const doubt = (why: string): void => {
    doubted = why !== '';
    say(byId('doubt'), why);
    draw();
  };

  const stop = (): void => {
    if (timer !== null) window.clearTimeout(timer);
    timer = null;
  };

  const old = (why: string): void => {
    stop();
    doubt(
      `${why}: what stands below is of ${time.slice(0, 19).replace('T', ' ')} UTC. What was stopped since is not shown.`,
    );
  };

  return {
    /** How the stream of entries stands. */
    stream(text: string, look: string): void {
      line = { text, look };
      draw();
    },
    /** An answer to `GET /v1/mesh/status` that is shown now. */
    heard(status: Readonly<Record<string, unknown>>): void {
      time = String(status['time']);
      stop();
      timer = window.setTimeout(
        () => old(window.document.hidden ? 'Nothing was asked while this page was hidden' : 'No answer of the mesh'),
        OLD_AFTER_MS,
      );
      if (status['sealed_by_term'] !== null)
        return doubt(
          `This server is sealed: the log goes on elsewhere, in term ${String(status['sealed_by_term'])}. What was stopped there is not shown.`,
        );
      doubt(
        status['checkpoint'] === null
          ? 'This server cannot prove now that its log is the newest: what was stopped elsewhere may be missing below.'
          : '',
      );
    },
    /** The mesh did not answer (0), or answered with this status. */
    lost(status: number): void {
      old(status === 0 ? 'No answer of the mesh' : `The mesh answers ${status}`);
    },
    clear(): void {
      stop();
      doubt('');
    },
  };
}
