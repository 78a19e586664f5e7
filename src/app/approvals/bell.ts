/** Bells: people are told that a request for approval waits, and where to look. Nothing in them approves: an account in a chat is no key. */
import { visibleText } from '../../protocol/naming/hidden.js';
import { formatTime } from '../../protocol/time.js';
import type { KeptRequest } from '../../mesh/approvals/kept.js';
import { signedNotice } from '../monitor/messages.js';
import type { Delivery, Notice } from '../ports/monitor.js';

/** What a bell is made with. */
export interface BellDeps {
  /** Where it rings: https, or this machine itself. */
  readonly url: string;
  /** What signs each notice, as Standard Webhooks 1.0 has it. */
  readonly key: Uint8Array;
  /** URL of the mesh's page, at which the link of a notice leads. */
  readonly page: () => string;
  readonly post: (notice: Notice) => Promise<Delivery>;
  /** Told in one sentence of notices that did not arrive. */
  readonly onTrouble: (sentence: string) => void;
}

/** Requests that wait to be told of; the next is not told. A receiver that is down must not cost memory. */
const MOST_WAITING = 100;

/** One receiver, told one after the other. */
export class Bell {
  readonly #deps: BellDeps;
  readonly #waiting: Notice[] = [];
  #ringing: Promise<void> | null = null;
  #said = '';

  constructor(deps: BellDeps) {
    this.#deps = deps;
  }

  /** Tells of a request, in time; nobody waits for it. */
  ring(request: KeptRequest): void {
    const { url, key, page } = this.#deps;
    if (this.#waiting.length >= MOST_WAITING)
      return this.#say('requests for approval come faster than they are told of');
    this.#waiting.push(signedNotice(request.request_id, bellBody(request, page()), url, key));
    this.#ringing ??= this.#ring().finally(() => (this.#ringing = null));
  }

  /** Resolves when everything was told, or given up. */
  async settled(): Promise<void> {
    while (this.#ringing !== null) await this.#ringing;
  }

  async #ring(): Promise<void> {
    for (let notice = this.#waiting.shift(); notice !== undefined; notice = this.#waiting.shift()) {
      const delivery = await this.#deps.post(notice);
      if (delivery.kind === 'delivered') this.#said = '';
      else this.#say(delivery.reason);
    }
  }

  #say(reason: string): void {
    if (reason !== this.#said) this.#deps.onTrouble(`A request for approval was not told of: ${reason}.`);
    this.#said = reason;
  }
}

/** The text of a notice: never params, which only those read who may answer. */
export function bellBody(request: KeptRequest, page: string): string {
  const { request_id, agent_id, action, approvers, count, expires_at } = request;
  const link = `${page.replace(/\/$/, '')}/#approval=${request_id}`;
  const names = [...new Set(approvers.map(({ id }) => short(id)))].slice(0, 8);
  return JSON.stringify({
    event: 'approval_requested',
    request_id,
    agent_id: short(agent_id),
    action: short(action),
    approvers: names,
    needed: count,
    expires_at: formatTime(expires_at),
    link,
    text: `${short(agent_id)} asks for approval of ${short(action)}. Look, and answer with your key: ${link}`,
  });
}

/** A stranger's text in one line: nothing invisible, no markup of chats, and no link but the one to the page. */
function short(text: string): string {
  const shown = visibleText(text).replace(/[^\p{L}\p{N}_.:#@ -]/gu, '?');
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
