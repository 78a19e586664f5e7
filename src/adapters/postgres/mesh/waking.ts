/** Learns of what other servers commit: by LISTEN at once, and by looking four times a second, because a notification may be lost. */
import { Failure } from '../../../app/failure.js';
import type { Connection } from '../connection.js';
import { CHANNEL } from './schema.js';

/** How often the head is looked at, and a listener that was lost is connected anew, ms. */
const LOOK_MS = 250;
const CONNECT_MS = 2_000;

export class Waking {
  readonly #connect: (withinMs: number) => Promise<Connection>;
  readonly #onSeq: (seq: number) => void;
  readonly #look: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #listening: Connection | null = null;
  #connecting = false;
  #looking = false;
  #closed = false;

  /** `look` reads the head; what it finds wrong for good is found by the next question to the store. */
  constructor(
    connect: (withinMs: number) => Promise<Connection>,
    onSeq: (seq: number) => void,
    look: () => Promise<void>,
  ) {
    this.#connect = connect;
    this.#onSeq = onSeq;
    this.#look = look;
    this.#timer = setInterval(() => this.#tick(), LOOK_MS);
    this.#timer.unref();
    this.#tick();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#listening?.close();
  }

  #tick(): void {
    void this.#lookOnce();
    if (this.#listening === null && !this.#connecting) void this.#listen();
  }

  async #lookOnce(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    await this.#look().catch(() => undefined);
    this.#looking = false;
  }

  async #listen(): Promise<void> {
    this.#connecting = true;
    let connection: Connection | null = null;
    try {
      connection = await this.#connect(CONNECT_MS);
      connection.unref();
      connection.onLost(() => (this.#listening = null));
      connection.onNotification((channel, payload) => {
        if (channel === CHANNEL && /^\d{1,15}$/.test(payload)) this.#onSeq(Number(payload));
      });
      await connection.query(`LISTEN ${CHANNEL}`, [], CONNECT_MS);
      if (this.#closed) connection.destroy();
      else this.#listening = connection;
    } catch (error) {
      // The look every 250 ms is what makes it true; this only makes it fast. A standby takes connections and refuses to be listened to.
      connection?.destroy();
      if (error instanceof Failure) this.#closed = true;
    } finally {
      this.#connecting = false;
    }
  }
}
