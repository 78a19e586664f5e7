/** The line between a server of a simulated mesh and its client. */
import type { StreamConnection, StreamSink } from '../../../../src/mesh/server/http/exchange.js';
import { FrameParser } from '../../../../src/protocol/framing/sse.js';
import type { SimClient } from './client.js';
import type { Simulation } from './simulation.js';

/** A client's connection: the server process that it has reached, and how it ends. */
export interface SimConnection {
  process: number | null;
  end(reason: string): void;
}

/** The way of a stream's bytes: in order, delayed, cut into pieces; or mangled frame by frame. */
export class Pipe implements StreamSink {
  readonly #sim: Simulation;
  readonly #client: SimClient;
  readonly #conn: number;
  readonly #open: () => boolean;
  readonly #delay: () => number;
  readonly #end: () => void;
  readonly #parser = new FrameParser(1 << 16);
  readonly #held: Uint8Array[] = [];
  #lastAt = 0;
  #waiting = 0;
  #dead = false;
  connection: StreamConnection | null = null;

  constructor(
    sim: Simulation,
    client: SimClient,
    conn: number,
    open: () => boolean,
    delay: () => number,
    end: () => void,
  ) {
    this.#sim = sim;
    this.#client = client;
    this.#conn = conn;
    this.#open = open;
    this.#delay = delay;
    this.#end = end;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#client.buffered || this.#held.length > 0) {
      this.#held.push(bytes);
      return true;
    }
    for (const piece of this.#pieces(bytes)) this.#send(piece);
    if (this.#waiting < 8) return true;
    this.#sim.after(this.#sim.between(50, 3_000), () => this.connection?.drained());
    return false;
  }

  end(last: Uint8Array | null): void {
    for (const bytes of this.#held) this.#send(bytes);
    if (last !== null) this.#send(last);
    this.#sim.after(Math.max(0, this.#lastAt - this.#sim.t) + 1, this.#end);
  }

  cut(): void {
    this.#sim.after(this.#sim.between(0, 20), this.#end);
  }

  #send(bytes: Uint8Array): void {
    this.#lastAt = Math.max(this.#lastAt, this.#sim.t + this.#delay());
    this.#waiting++;
    this.#sim.after(this.#lastAt - this.#sim.t, () => {
      this.#waiting--;
      // TCP loses a connection, never bytes in the middle of one.
      this.#dead ||= this.#client.dark;
      if (this.#open() && !this.#dead) this.#client.receive(this.#conn, bytes, this.#parser);
    });
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    const sim = this.#sim;
    if (sim.mangles && !sim.healed && sim.chance(0.2)) {
      const frames = Buffer.from(bytes)
        .toString()
        .split(/(?<=\n\n)/);
      if (sim.chance(0.4)) frames.splice(sim.between(0, frames.length - 1), 1);
      if (frames.length > 0 && sim.chance(0.4)) frames.push(sim.pick(frames));
      if (frames.length > 1 && sim.chance(0.4)) frames.reverse();
      return frames.map((frame) => Buffer.from(frame));
    }
    if (bytes.length < 2 || !sim.chance(0.2)) return [bytes];
    const at = sim.between(1, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }
}
