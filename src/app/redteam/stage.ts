/** Puts an attack into bytes: throwaway keys, the passports that are presented, and the moment. */
import { createHash } from 'node:crypto';
import { emptyObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { answerOf, timeText, type AttackedRequest } from './approvals/answers.js';
import { SILENCE } from './approvals/oracle.js';
import { approverPair, enoughFor, peopleIn, ttlIn, withApproversStandingIn } from './approvals/people.js';
import { honestParams } from './honest.js';
import { allowedActions, isFor, limitsOf } from './limits.js';
import { faults } from './oracle.js';
import { FAIR, SELF, type Attack, type Presented, type Scene, type Sent, type WordFlaw } from './scene.js';
import { ORDER, pairOf, signatureBy, jcs, type Pair } from './signing.js';

/** The keys that stand in. */
export const STAND_IN_AGENT = pairOf('agent');
/** The principal's, which is pinned. */
export const STAND_IN_PRINCIPAL = pairOf('principal');
const STRANGER = pairOf('stranger');

const HOUR_MS = 3_600_000;
/** A passport is tried at the hours of so many days for one at which its time window is open. */
const DAYS_TRIED = 14;

/** A passport with the keys that stand in, and what attacks on it begin from. */
export class Stage {
  /** As its principal signed it. */
  readonly own: JsonObject;
  readonly #presented = new Map<Presented, JsonObject>();
  readonly #seed: number;
  #sent = 0;
  /** ms since the epoch: inside of the passport's life, and of its time window. */
  readonly now: number;
  /** A country that it allows; null where it restricts none. */
  readonly geo: string | null;

  /** `now` in ms since the epoch; null for a moment at which the passport is in force. */
  constructor(passport: JsonObject, seed: number, now: number | null = null) {
    this.#seed = seed;
    this.own = issued({
      ...withApproversStandingIn(passport, STAND_IN_AGENT.text),
      ...WITHOUT_KEYS,
      serial: serialOf(passport),
    });
    const geo = limitsOf(this.own).find(({ name }) => name === 'geo_restriction');
    this.geo = geo === undefined ? null : ((geo.value as readonly string[])[0] ?? null);
    this.now = now ?? this.#openMoment();
  }

  /** The document that is presented, as its forger made it. */
  presented(which: Presented): JsonObject {
    let found = this.#presented.get(which);
    if (found === undefined) this.#presented.set(which, (found = this.#make(which)));
    return found;
  }

  /** The document as text, sent at a moment in ms since the epoch. */
  textOf({ intent, hand = 'agent', raw, after = {} }: Sent, at: number): string {
    const nonce = createHash('sha256').update(`${this.#seed} ${this.#sent++}`).digest('hex').slice(0, 32);
    const seconds = Math.floor(at / 1000);
    const time = intent['timestamp'];
    const unsigned: JsonObject = {
      ...{ agent_id: this.own['agent_id']!, params: emptyObject(), nonce, ...intent },
      // What is small is told from the attack's own moment.
      timestamp: typeof time === 'number' ? seconds + time : (time ?? seconds),
      ...(raw === 'proto' ? { params: withProto(intent['params'] as JsonObject) } : {}),
    };
    return rawly({ ...unsigned, signature: signatureIn(unsigned, hand), ...after }, raw);
  }

  #make(which: Presented): JsonObject {
    const own = this.own;
    const serial = Number(own['serial']);
    const constraints = emptyObject();
    switch (which) {
      case 'own':
      case 'unknown':
        return own;
      case 'widened':
        return { ...own, constraints, expires_at: null };
      case 'signed by the agent':
        return {
          ...own,
          constraints,
          issuer_signature: signatureBy(STAND_IN_AGENT, { ...own, constraints }, 'issuer_signature'),
        };
      case 'older':
        return issued({ ...own, constraints, serial: serial - 1 });
      case 'conflict':
        return issued({ ...own, constraints });
      case 'expired':
        return issued({
          ...own,
          serial: serial + 1,
          expires_at: timeText(this.now - 1000),
          issued_at: timeText(this.now - 10 * 24 * HOUR_MS),
        });
      case 'ahead':
        return issued({ ...own, serial: serial + 1, issued_at: timeText(this.now + HOUR_MS), expires_at: null });
      case 'low-order key':
        return issued({ ...own, serial: serial + 1, public_key: `ed25519:01${'00'.repeat(31)}` });
      case 'unknown constraint':
        return issued({
          ...own,
          serial: serial + 1,
          constraints: { ...(own['constraints'] as JsonObject), limit_of_another_version: 1 },
        });
    }
  }

  #openMoment(): number {
    // Half an hour into it, so that what comes before an attack is inside as well.
    const begins = Math.ceil(Date.parse(String(this.own['issued_at'])) / HOUR_MS) * HOUR_MS + 1.5 * HOUR_MS;
    const [action] = allowedActions(this.own);
    const limits = limitsOf(this.own).filter((limit) => action !== undefined && isFor(limit, action.name));
    if (action === undefined || !limits.some(({ name }) => name === 'time_window')) return begins;
    const { value } = limits.find(({ name }) => name === 'time_window')!;
    const start = Date.parse(String((value as JsonObject)['start'] ?? ''));
    const first = Number.isNaN(start) ? begins : Math.max(begins, start + HOUR_MS / 2);
    for (let hours = 0; hours < DAYS_TRIED * 24; hours++) {
      const now = first + hours * HOUR_MS;
      if (!this.faultsAt(fairAttack(action.name, honestParams(action, limits)), now).includes('time_window'))
        return now;
    }
    return begins;
  }

  /** What the oracle finds wrong with an attack at a moment. */
  faultsAt(
    { sent, scene }: Pick<Attack, 'sent' | 'scene'>,
    now: number,
    text = this.textOf(sent, now),
    before: readonly { text: string; at: number }[] = [],
    heard = SILENCE,
  ): string[] {
    const passport = this.presented(scene.presented);
    const fair = { ...scene, geo: scene.geo === 'fair' ? this.geo : scene.geo };
    const principalKey = STAND_IN_PRINCIPAL.text;
    return faults({ passport, principalKey, known: this.own, scene: fair, heard, now, text, before });
  }

  /** The members of an intent that a person is asked to approve before it is sent: with nothing wrong but what persons will say. */
  askedFor({ intent, asked = {} }: Sent): JsonObject {
    const { action, params = emptyObject(), target } = { ...intent, ...asked };
    return {
      agent_id: this.own['agent_id']!,
      ...(action === undefined ? {} : { action }),
      params,
      ...(target === undefined ? {} : { target }),
    };
  }

  /** The value of `require_approval`; null where nothing needs a person. */
  get #approval(): Json {
    return limitsOf(this.own).find(({ name }) => name === 'require_approval')?.value ?? null;
  }

  /** Ids of the persons who approve in a scene, each with the person's own key; null where they do something else. */
  approversIn({ words }: Scene): string[] | null {
    const value = this.#approval;
    if (value === null) return [];
    const people = peopleIn(value) ?? [];
    const ids = new Map([
      [SELF.agent as string, this.own['agent_id']],
      [SELF.principal, this.own['principal']],
    ]);
    const found = (words === 'enough' ? enoughFor(value) : words).map(({ approver, key, flaw }) => {
      const own = people.find(({ id }) => id === approver)?.key ?? (key === SELF.stranger ? key : approver);
      return flaw === undefined && own === key ? String(ids.get(approver) ?? approver) : null;
    });
    return found.every((id) => id !== null) ? found : null;
  }

  /** What the persons of a scene answer to a request for an intent, in their order. */
  answersTo(
    raised: Pick<AttackedRequest, 'id' | 'verifier' | 'intent' | 'at'>,
    { words, presented }: Scene,
  ): SceneAnswer[] {
    const value = this.#approval ?? true;
    const request = { ...raised, passport: this.presented(presented), ttlMs: ttlIn(value) };
    return (words === 'enough' ? enoughFor(value) : words).map((word) => ({
      answer: answerOf(word, request, keyNamed),
      flaw: word.flaw ?? null,
    }));
  }
}

/** An honest intent of an action. */
export function fairAttack(action: string, params: JsonObject): Attack {
  return {
    constraint: 'honest',
    kind: 'honest',
    action,
    history: [],
    sent: { intent: { action, params } },
    scene: FAIR,
    open: null,
  };
}

const WITHOUT_KEYS: JsonObject = { previous_keys: [], public_key: STAND_IN_AGENT.text };

/** An answer, and what is wrong with it. */
export interface SceneAnswer {
  readonly answer: JsonObject;
  readonly flaw: WordFlaw | null;
}

const OWN_PAIRS: ReadonlyMap<string, Pair> = new Map([
  [SELF.agent, STAND_IN_AGENT],
  [SELF.principal, STAND_IN_PRINCIPAL],
  [SELF.stranger, STRANGER],
  // A passport may name its own agent.
  [STAND_IN_AGENT.text, STAND_IN_AGENT],
]);

function keyNamed(key: string): Pair {
  return OWN_PAIRS.get(key) ?? approverPair(key);
}

function serialOf({ serial }: JsonObject): number {
  return typeof serial === 'number' && serial > 1 ? serial : 2;
}

function issued(document: JsonObject): JsonObject {
  return { ...document, issuer_signature: signatureBy(STAND_IN_PRINCIPAL, document, 'issuer_signature') };
}

function signatureIn(unsigned: JsonObject, hand: NonNullable<Sent['hand']>): string {
  const by = (pair: Pair): string => signatureBy(pair, unsigned, 'signature');
  switch (hand) {
    case 'agent':
      return by(STAND_IN_AGENT);
    case 'stranger':
      return by(STRANGER);
    case 'principal':
      return by(STAND_IN_PRINCIPAL);
    case 'tampered':
      return by(STAND_IN_AGENT).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    case 'cut':
      return by(STAND_IN_AGENT).slice(0, 126);
    case 'upper':
      return by(STAND_IN_AGENT).toUpperCase();
    case 'all zero':
      return '0'.repeat(128);
    case 'beyond order': {
      const bytes = Buffer.from(by(STAND_IN_AGENT), 'hex');
      const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + ORDER;
      return (
        bytes.subarray(0, 32).toString('hex') +
        Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex')
      );
    }
  }
}

/** Parsers that let the last of two members win find the signed one, and others the first. */
function rawly(document: JsonObject, raw: Sent['raw']): string {
  const text = jcs(document);
  switch (raw) {
    case 'duplicate':
      return text.replace('{', '{"action":"something_else",');
    case 'duplicate param': {
      const [first = 'x'] = Object.keys(document['params'] as JsonObject);
      return text
        .replace('"params":{', `"params":{${JSON.stringify(first)}:"first",${first === 'x' ? '"x":1,' : ''}`)
        .replace(',}', '}');
    }
    case 'byte order mark':
      return `\ufeff${text}`;
    case 'trailing':
      return `${text} x`;
    case 'comment':
      return `/* */${text}`;
    default:
      return text;
  }
}

function withProto(params: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(params).replace('{', '{"__proto__":{"admin":true},').replace(',}', '}'),
  ) as JsonObject;
}
