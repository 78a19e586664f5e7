/** What an attack is made of. Nothing in this folder but `run.ts` knows the verifier: what judges it would else share its mistakes. */
import type { Json, JsonObject } from '../../protocol/json/values.js';

/** Who signs a document of the red team. */
export type Hand = 'agent' | 'stranger' | 'principal' | 'tampered' | 'cut' | 'upper' | 'all zero' | 'beyond order';

/** A document as it is sent. */
export interface Sent {
  /** Members of the intent; `agent_id`, `timestamp` and `nonce` are filled in where they are left out. */
  readonly intent: JsonObject;
  readonly hand?: Hand;
  /** Changes the text after it was signed. */
  readonly raw?: 'duplicate' | 'duplicate param' | 'byte order mark' | 'trailing' | 'comment' | 'proto';
  /** Changes members after they were signed. */
  readonly after?: JsonObject;
  /** ms before the attack's own moment. */
  readonly ago?: number;
  /** Members of the intent that persons were asked about, where they are others. */
  readonly asked?: JsonObject;
  /** Names the request of the document before it, and asks for none. */
  readonly again?: true;
}

/** What a person says to a request for approval. */
export interface PersonsWord {
  /** Id that the answer names, or one of `SELF`. */
  readonly approver: string;
  /** Whose key signs it: the public key of a named approver, or one of `SELF`. */
  readonly key: string;
  /** What is wrong with it. */
  readonly flaw?: WordFlaw;
}

/** What may be wrong with an answer, one thing each. `denial before` was given before the intent was sent, and its sender leaves it out. */
export type WordFlaw =
  | 'denial'
  | 'denial before'
  | 'denial turned into a yes'
  | 'another action'
  | 'another request'
  | 'another verifier'
  | 'another passport'
  | 'over'
  | 'too long'
  | 'approver revoked';

/** Who is in every passport: no id of an approver holds a `#`. */
export const SELF = { agent: '#agent', principal: '#principal', stranger: '#stranger' } as const;

/** Which passport is presented. */
export type Presented =
  | 'own'
  | 'widened'
  | 'signed by the agent'
  | 'older'
  | 'conflict'
  | 'expired'
  | 'ahead'
  | 'unknown'
  | 'low-order key'
  | 'unknown constraint';

/** What is known of the agent, and of who asks. */
export interface Scene {
  readonly presented: Presented;
  /** What persons say where the verifier asks for them; `enough` is the word of as many as the passport demands. */
  readonly words: 'enough' | readonly PersonsWord[];
  /** `fair` is a country that the passport allows, or none where it restricts none. */
  readonly geo: string | null;
  readonly standing: 'active' | 'revoked' | 'suspended' | 'principal revoked' | 'key revoked' | 'stale';
  /** The agent's score; null where the verifier asks for none. The verifier of the scene demands 0.5. */
  readonly score: number | null;
  /** A stand-in for a hook, that refuses. */
  readonly hook: boolean;
  /** ms that the attack's moment lies behind the moment of the scene. */
  readonly later: number;
}

/** One attack. */
export interface Attack {
  /** What it is to break: a constraint's name, or a step of the verifier. */
  readonly constraint: string;
  /** How, in a few words. */
  readonly kind: string;
  readonly action: string;
  readonly history: readonly Sent[];
  readonly sent: Sent;
  readonly scene: Scene;
  /** What would stop it in a passport that leaves it open; null where the verifier has to stop it as the passport is. */
  readonly open: PassportGap | null;
}

/** Where a passport leaves something open, and the line that closes it. */
export interface PassportGap {
  readonly why: string;
  /** A member of the passport as it would have to be. */
  readonly line: JsonObject;
}

/** A scene in which nothing is wrong. */
export const FAIR: Scene = {
  ...{ presented: 'own', words: 'enough', geo: 'fair', standing: 'active', score: null, hook: false, later: 0 },
};

/** Pseudo-random numbers: the same seed gives the same attacks. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to `below` - 1. */
  number(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  }

  /** One of them. */
  of<T>(list: readonly T[]): T {
    return list[this.number(list.length)]!;
  }
}

/** The words of a name: `refundAmount_USD` has `refund`, `amount`, `usd`; plurals lose their s. */
export function wordsIn(name: string): string[] {
  const spaced = name
    .normalize('NFKC')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  return (spaced.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => {
    const lower = word.toLowerCase();
    return lower.length > 3 && lower.endsWith('s') && !lower.endsWith('ss') ? lower.slice(0, -1) : lower;
  });
}

/** True where the last words of the name are those of the thing. */
export function endsIn(name: string, thing: string): boolean {
  const [all, last] = [wordsIn(name), wordsIn(thing)];
  return last.length > 0 && all.slice(-last.length).join(' ') === last.join(' ');
}

/** Every value in it with the name that it stands under, at any depth; entries of lists stand under the name of the list. */
export function valuesIn(value: Json, name = ''): { readonly name: string; readonly value: Json }[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => valuesIn(each, name));
  if (typeof value !== 'object' || value === null) return [{ name, value }];
  return Object.entries(value as JsonObject).flatMap(([inner, each]) => [
    ...(Array.isArray(each) || (typeof each === 'object' && each !== null) ? [{ name: inner, value: each }] : []),
    ...valuesIn(each, inner),
  ]);
}
