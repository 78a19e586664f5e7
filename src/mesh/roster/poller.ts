/** A verifier that polls. */
export interface Poller {
  readonly keyId: string;
  readonly seq: number;
  /** When it last asked, by the server's `up` clock. */
  readonly at: number;
  /** When it first said that it is as far as `seq`: that is what a command took to reach it. */
  readonly seqAt: number;
  /** The region whose server it listens to; undefined of one that asks here. */
  readonly via?: string;
  /** True of one that asked a region's server once: it is passed on to home, and gone. */
  readonly passing?: boolean;
}

/** It has asked again. `before`: what was known of it. */
export function polled(before: Poller | undefined, now: Omit<Poller, 'seqAt'>): Poller {
  return { ...now, seqAt: before?.seq === now.seq ? before.seqAt : now.at };
}
