/** A follower with sockets, timers and a clock: keeps this machine's copy current until it is stopped. */
import { randomBytes } from 'node:crypto';
import { noteClock, noteCounted, noteKeyRefused, type MeshCopy } from '../../../app/ports/mesh.js';
import { Follower } from '../../../mesh/client/follower.js';
import type { AlarmKind, Effect, FollowState, FollowInput, KnownStanding } from '../../../mesh/client/messages.js';
import type { Moment } from '../../../mesh/client/moment.js';
import { isSame } from '../../../mesh/client/place.js';
import type { MeshEvent } from '../../../mesh/log/event.js';
import type { Checkpoint } from '../../../mesh/log/checkpoint.js';
import type { Head } from '../../../mesh/log/head.js';
import { MAX_EVENT_BYTES } from '../../../mesh/limits.js';
import type { SignatureCheck } from '../../../mesh/log/signing.js';
import { parseApiKey } from '../../../mesh/access/api-key.js';
import {
  asHeader,
  writeApplied,
  writeCard,
  type Applied,
  type ListeningVerifier,
} from '../../../mesh/roster/member.js';
import { FrameParser } from '../../../protocol/framing/sse.js';
import type { Standing } from '../../../mesh/standing.js';
import { refusalIn } from './refusal.js';
import { MeshHttp, Unreachable, type Call, type OpenStream } from '../../http/mesh-client.js';

export interface MeshFollowOptions {
  /** URLs in order. */
  readonly endpoints: readonly string[];
  readonly key: string;
  readonly check: SignatureCheck;
  /** Who confirms what is applied: a verifier with its key, or a bare name as the first version has it; null confirms nothing. */
  readonly verifier: ListeningVerifier | string | null;
  readonly maxAgeMs: number;
  readonly copy: MeshCopy | null;
  /** Does not keep the process alive: for programs that have their own reason to go on. */
  readonly background?: boolean;
  /** File of the certificate authorities (PEM) of the endpoints; null or absent for Node's own. */
  readonly ca?: string | null;
  /** The key may go to another machine without TLS. */
  readonly insecureHttp?: boolean;
  /** Where HTTPS_PROXY and its like are looked for; absent for no proxy. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Asks by polls only, none of which waits, and is not taken to listen between them. */
  readonly once?: boolean;
  /** Told, in the mesh's words, why it does not put this verifier on its roster: its API key is for fewer than ask under it. */
  readonly onUncounted?: (why: string) => void;
  /** `url`: the endpoint that is tried, or heard. */
  readonly onState?: (from: FollowState, to: FollowState, url: string) => void;
  readonly onChange?: (standings: readonly Standing[], whole: boolean) => void;
  /** Told of every event after it was applied and kept. */
  readonly onEvents?: (events: readonly MeshEvent[]) => void;
  readonly onAlarm?: (kind: AlarmKind, message: string) => void;
  readonly onWaiting?: (reason: string, ms: number) => void;
  readonly onProof?: () => void;
  /** Passports were put in force whose documents may be missing here. */
  readonly onPassports?: () => void;
  /** The mesh told of a request for approval, or of an answer: the frame's data, nothing of which is believed. */
  readonly onApproval?: (data: string) => void;
  /** The copy cannot be kept any more: the command that follows must say so and end. */
  readonly onFailure: (error: unknown) => void;
}

const MAX_SNAPSHOT_BYTES = 1024 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024;
const TICK_MS = 100;

export class MeshFollow {
  readonly #options: MeshFollowOptions;
  readonly #follower: Follower;
  readonly #endpoints: readonly MeshHttp[];
  #stream: OpenStream | null = null;
  #asking: AbortController | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #confirming = false;
  /** Where another process had written to when a proof could not be kept. */
  #behind: Head | null = null;
  #toConfirm: Extract<Effect, { type: 'confirm' }> | null = null;
  /** What the last poll that was answered said to have applied. */
  #told: Head | null = null;
  /** Who this is, as headers. */
  readonly #card: Record<string, string>;

  constructor(options: MeshFollowOptions) {
    this.#options = options;
    this.#card = cardOf(options);
    this.#endpoints = options.endpoints.map((url) => new MeshHttp(url, options.key, options));
    this.#follower = new Follower({
      endpoints: options.endpoints.length,
      check: options.check,
      random: Math.random,
      challenge: () => randomBytes(16).toString('hex'),
      maxAgeMs: options.maxAgeMs,
      confirms: options.verifier !== null,
      polls: options.once ?? false,
    });
    const kept = options.copy?.load() ?? null;
    if (kept !== null) this.#follower.restore(kept);
  }

  get follower(): Follower {
    return this.#follower;
  }

  get state(): FollowState {
    return this.#follower.state(now());
  }

  /** True where the mesh was told of all that is applied here, or is told nothing. */
  get isConfirmed(): boolean {
    const { position } = this.#follower.copy;
    return (
      this.#options.verifier === null || (this.#told !== null && position !== null && isSame(this.#told, position))
    );
  }

  /** What is known of an agent, from memory. */
  check(agentId: string, principal?: string): KnownStanding {
    return this.#follower.check(agentId, now(), principal);
  }

  start(): void {
    this.#timer = setInterval(() => this.#step({ type: 'tick' }), TICK_MS);
    if (this.#options.background === true) this.#timer.unref();
    this.#step({ type: 'start' });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stream?.close();
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #step(input: FollowInput): void {
    if (this.#stopped) return;
    try {
      let there = true;
      for (const effect of this.#follower.step(input, now())) {
        // What follows is of a copy that is not there any more, other than what people are told.
        if (there) there = this.#carryOut(effect);
        else if (effect.type === 'state' || effect.type === 'alarm') this.#carryOut(effect);
      }
      if (there) return;
      this.#behind = null;
      this.#step({ type: 'moved', copy: this.#options.copy?.load() ?? null });
    } catch (error) {
      this.stop();
      this.#options.onFailure(error);
    }
  }

  /** False when the copy that is kept is another than the one in memory. */
  #carryOut(effect: Effect): boolean {
    const { copy, onChange, onEvents, onProof } = this.#options;
    if (effect.type === 'keep') {
      if (copy?.save(effect) === 'elsewhere') return false;
      if (effect.passports.length > 0) this.#options.onPassports?.();
      onChange?.(effect.standings, effect.whole);
      if (effect.events.length > 0) onEvents?.(effect.events);
    } else if (effect.type === 'proven') {
      const { wall, position, aheadMs } = effect;
      if (copy !== null) noteKeyRefused(copy, null);
      if (copy !== null && aheadMs !== null) noteClock(copy, aheadMs);
      const place = copy === null ? position : copy.prove(wall, position);
      if (place === null || !this.#onTheWay(position, place)) return false;
      if (isSame(place, position)) onProof?.();
    } else this.#act(effect);
    return true;
  }

  /** False when the copy is where this follower does not come: it went back, or stays ahead of a mesh that says it is current. */
  #onTheWay(position: Head, place: Head): boolean {
    const before = this.#behind;
    this.#behind = isSame(place, position) ? null : place;
    if (this.#behind === null) return true;
    return (
      place.logId === position.logId && place.seq > position.seq && (before === null || position.seq >= before.seq)
    );
  }

  #act(effect: Exclude<Effect, { type: 'keep' | 'proven' }>): void {
    const { copy, onState, onAlarm, onWaiting } = this.#options;
    switch (effect.type) {
      case 'state':
        onState?.(effect.from, effect.to, this.#options.endpoints[effect.endpoint]!);
        return;
      case 'alarm':
        if (effect.kind === 'unauthorized' && copy !== null) noteKeyRefused(copy, Date.now());
        onAlarm?.(effect.kind, effect.message);
        return;
      case 'waiting':
        onWaiting?.(effect.reason, effect.ms);
        return;
      case 'close':
        this.#stream?.close();
        this.#stream = null;
        // One that hangs would hold a connection that the next attempts wait for.
        this.#asking?.abort();
        return;
      case 'open-stream':
        this.#open(effect);
        return;
      case 'poll': {
        const { conn, endpoint, after, challenge, proof, position } = effect;
        const once = this.#options.once === true;
        const waitMs = once ? 0 : effect.waitMs;
        const target = `/v1/mesh/events?after=${after}&wait=${waitMs}&challenge=${challenge}&v=2${once ? '&once=1' : ''}${this.#verifier()}`;
        const headers = { ...proofHeaders(proof), ...this.#card, ...this.#appliedHeader(position) };
        const call = { target, headers, timeoutMs: waitMs + 5_000, maxBytes: MAX_ANSWER_BYTES };
        this.#ask(conn, endpoint, call, 'polled', position);
        return;
      }
      case 'fetch-snapshot':
        this.#ask(
          effect.conn,
          effect.endpoint,
          { target: '/v1/mesh/snapshot?v=2', timeoutMs: 600_000, maxBytes: MAX_SNAPSHOT_BYTES },
          'snapshot',
        );
        return;
      case 'confirm':
        this.#toConfirm = effect;
        void this.#confirm();
    }
  }

  #open({ conn, endpoint, after, challenge, proof }: Extract<Effect, { type: 'open-stream' }>): void {
    const parser = new FrameParser(2 * MAX_EVENT_BYTES);
    this.#stream?.close();
    const stream = this.#endpoints[endpoint]!.stream(
      `/v1/mesh/stream?challenge=${challenge}&v=2${this.#verifier()}`,
      { 'last-event-id': after, ...proofHeaders(proof), ...this.#card },
      {
        onOpen: () => this.#step({ type: 'opened', conn }),
        onBytes: (bytes) => {
          try {
            const frames = parser.push(bytes);
            for (const { event, data } of frames) if (event === 'approval') this.#options.onApproval?.(data);
            this.#step(frames.length === 0 ? { type: 'noise', conn } : { type: 'frames', conn, frames });
          } catch (error) {
            if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
            stream.close();
            this.#step({ type: 'ended', conn, reason: error.message, status: null });
          }
        },
        onEnd: (reason, status, body) =>
          this.#step({ type: 'ended', conn, reason: this.#refusal(status, body) ?? reason, status }),
      },
    );
    this.#stream = stream;
  }

  #ask(
    conn: number,
    endpoint: number,
    call: Pick<Call, 'target' | 'headers' | 'timeoutMs' | 'maxBytes'>,
    type: 'polled' | 'snapshot',
    told: Head | null = null,
  ): void {
    const onPart = () => this.#step({ type: 'noise', conn });
    const asking = (this.#asking = new AbortController());
    const { signal } = asking;
    this.#endpoints[endpoint]!.ask({ method: 'GET', ...call, onPart, signal }).then(
      ({ status, body }) => {
        if (status === 200) {
          this.#told = told;
          return this.#step({ type, conn, body });
        }
        const reason = this.#refusal(status, body) ?? `the mesh answered ${status}`;
        this.#step({ type: 'ended', conn, reason, status });
      },
      (error: unknown) => {
        const reason = error instanceof Unreachable ? error.message : 'the request failed';
        this.#step({ type: 'ended', conn, reason, status: null });
      },
    );
  }

  /** Why the mesh does not let this verifier in; null of every other answer. One that it has no room for is written down. */
  #refusal(status: number | null, body: string): string | null {
    const refusal = refusalIn(status, body);
    if (refusal?.code === 'TOO_MANY_VERIFIERS' && this.#options.verifier !== null && !this.#stopped) {
      const { copy, onUncounted } = this.#options;
      if (copy !== null) noteCounted(copy, false, Date.now());
      onUncounted?.(refusal.message);
    }
    return refusal?.message ?? null;
  }

  /** One confirmation at a time; the latest one waits for it. */
  async #confirm(): Promise<void> {
    if (this.#confirming) return;
    this.#confirming = true;
    while (this.#toConfirm !== null && !this.#stopped) {
      const { endpoint, stream, position, challenge } = this.#toConfirm;
      this.#toConfirm = null;
      const applied = this.#applied(position, challenge);
      const { seq } = position;
      const body = Buffer.from(JSON.stringify({ stream, seq, ...(applied === null ? {} : { applied }) }));
      // A confirmation that is lost costs a number on a screen, nothing else.
      await this.#endpoints
        [endpoint]!.ask({
          method: 'POST',
          target: '/v1/mesh/acks',
          body,
          timeoutMs: 5_000,
          maxBytes: MAX_ANSWER_BYTES,
        })
        .catch(() => null);
    }
    this.#confirming = false;
  }

  #verifier(): string {
    const { verifier } = this.#options;
    return typeof verifier === 'string' ? `&verifier=${encodeURIComponent(verifier)}` : '';
  }

  #applied({ logId, seq, hash }: Head, challenge: string | null): Applied | null {
    const { verifier } = this.#options;
    if (verifier === null || typeof verifier === 'string') return null;
    return writeApplied(verifier.key, { logId, seq, hash, challenge });
  }

  #appliedHeader(position: Head): Record<string, string> {
    const applied = this.#applied(position, null);
    return applied === null ? {} : { 'aip-applied': asHeader(applied) };
  }
}

function cardOf({ verifier, key }: MeshFollowOptions): Record<string, string> {
  if (verifier === null || typeof verifier === 'string') return {};
  const { label, host, program, onStale, maxAgeMs } = verifier;
  const keyId = parseApiKey(key)?.keyId ?? '';
  return { 'aip-verifier': asHeader(writeCard(verifier.key, { keyId, label, host, program, onStale, maxAgeMs })) };
}

/** The server that was left behind learns it from the document, never from the bare claim. */
function proofHeaders(proof: Checkpoint | null): Record<string, string> {
  return proof === null ? {} : { 'aip-proof': Buffer.from(JSON.stringify(proof)).toString('base64url') };
}

function now(): Moment {
  return { mono: performance.now(), wall: Date.now() };
}
