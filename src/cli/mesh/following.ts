/** What a command that follows the mesh says: states once, events as they come, gaps never hidden. */
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

export class FollowTeller {
  readonly #cli: Scene;
  readonly #url: string;
  readonly #started: number;
  #said = '';
  #heard = false;
  #refused = false;
  /** Why the mesh did not let this machine in, as it was said. */
  #refusal = '';
  #events = 0;

  constructor(cli: Scene, url: string) {
    this.#cli = cli;
    this.#url = url;
    this.#started = cli.io.now();
    this.#say('syncing');
  }

  readonly listener = {
    onState: (_from: FollowState, to: FollowState): void => this.#say(to),
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

  /** Every attempt is refused anew until somebody does something about the key, which a running command does not read again. */
  #alarm(kind: AlarmKind, message: string): void {
    if (kind !== 'unauthorized' && kind !== 'refused') return this.#cli.warn(message, `mesh_${kind}`);
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
    if (state === 'live') this.#refused = false;
    // Before the first word there is nothing to be too old.
    if (!this.#heard && state !== 'syncing') return;
    this.#once(`${MEANING[state]} ${clean(this.#url)}`);
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
