/** What a command that follows the mesh says: states once, events as they come, gaps never hidden. */
import { Failure } from '../../app/failure.js';
import { KEY_HINT } from '../../app/mesh/answers.js';
import type { MeshEvent } from '../../mesh/log/event.js';
import type { AlarmKind, FollowState } from '../../mesh/client/messages.js';
import { renderEvent } from '../render/mesh.js';
import { clean, safeJson } from '../render/terminal/text.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Output & Surroundings;

const MEANING: Readonly<Record<FollowState, string>> = {
  syncing: 'connecting to',
  live: 'live with',
  stale: 'not hearing',
  expired: 'too long without word from',
};

/**
 * An API key that each endpoint has refused so often, over a minute or more, and not taken in between, will not be taken again: a region that
 * has not heard of a new key yet, or a server that is put back from a backup, has had its time.
 */
const MOST_REFUSALS = 20;

export class FollowTeller {
  readonly #cli: Scene;
  readonly #endpoints: readonly string[];
  /** The endpoint that was heard last; at first, the one that is tried first. */
  #url: string;
  readonly #onKeyRefused: (failure: Failure) => void;
  readonly #started: number;
  #said = '';
  #heard = false;
  #refused = false;
  /** How often the API key was refused since it was last taken. */
  #refusals = 0;
  /** Why the mesh did not let this machine in, as it was said. */
  #refusal = '';
  /** What was warned of since the mesh was last heard. */
  #warned = '';
  #events = 0;

  /**
   * @param endpoints URLs of the mesh, in order
   * @param onKeyRefused told that to follow on is in vain: a running command does not read its API key again
   */
  constructor(cli: Scene, endpoints: readonly string[], onKeyRefused: (failure: Failure) => void) {
    this.#cli = cli;
    this.#endpoints = endpoints;
    this.#url = clean(endpoints[0]!);
    this.#onKeyRefused = onKeyRefused;
    this.#started = cli.io.now();
    this.#say('syncing');
  }

  readonly listener = {
    onState: (_from: FollowState, to: FollowState, url: string): void => {
      // What is not heard any more is the endpoint that was.
      if (to === 'live') this.#url = clean(url);
      this.#say(to);
    },
    onAlarm: (kind: AlarmKind, message: string): void => this.#alarm(kind, message),
    onWaiting: (reason: string, ms: number): void => this.#waiting(reason, ms),
  };

  events(events: readonly MeshEvent[]): void {
    this.#events += events.length;
    const { forPerson, paint, width } = this.#cli;
    for (const event of events)
      this.#cli.out(forPerson ? renderEvent(event, { paint, width: width ?? 120 }) : safeJson(event));
  }

  /** How it went, in a line. */
  finish(): void {
    const seconds = Math.max(0, Math.round((this.#cli.io.now() - this.#started) / 1000));
    this.#cli.note(`${this.#events} ${this.#events === 1 ? 'event' : 'events'} in ${seconds} s`);
  }

  /** Every attempt is refused anew until somebody does something about the key; and a fork shows twice: in the stream, and in the snapshot. */
  #alarm(kind: AlarmKind, message: string): void {
    if (kind !== 'unauthorized' && kind !== 'refused') {
      if (message !== this.#warned) this.#cli.warn(message, `mesh_${kind}`);
      this.#warned = message;
      return;
    }
    if (kind === 'unauthorized') this.#refusals += 1;
    if (this.#refusals >= MOST_REFUSALS * this.#endpoints.length) this.#onKeyRefused(refusedKey(this.#url));
    if (this.#refused) return;
    this.#refused = true;
    // The mesh says itself what is to be done.
    if (kind === 'refused') {
      this.#refusal = message;
      return this.#cli.warn(clean(message), 'mesh_refused');
    }
    const way =
      'get one that is in force (aip mesh key create, where an admin is), give it to aip mesh join, start this again';
    this.#cli.warn(`${message}: ${way}.`, 'mesh_unauthorized');
  }

  #say(state: FollowState): void {
    this.#heard ||= state === 'live';
    if (state === 'live') [this.#refused, this.#refusals, this.#warned] = [false, 0, ''];
    // Before the first word there is nothing to be too old.
    if (!this.#heard && state !== 'syncing') return;
    this.#once(`${MEANING[state]} ${this.#url}`);
  }

  /** A moment's pause is no news; a longer one is said when its reason is new. */
  #waiting(reason: string, ms: number): void {
    if (ms < 1000) return;
    this.#once(this.#refusal.endsWith(reason) ? 'trying again' : `${clean(reason)}; trying again`);
  }

  #once(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#cli.note(this.#cli.paintErr.dim(text));
  }
}

function refusedKey(url: string): Failure {
  return new Failure('NETWORK', `The mesh at ${url} refuses the API key of this machine, which follows it no more.`, {
    hint: KEY_HINT,
  });
}
