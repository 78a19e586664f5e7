/** Runs attacks through the real verifier, on states that are thrown away, and tells which it let through. */
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import type { Facts, KnownTrust, PassportFinding, PinnedKey, StandingRecord } from '../../verify/context.js';
import { violation } from '../../verify/decision.js';
import type { OpenThrowaway, Throwaway } from '../policy/cases.js';
import type { Ledger } from '../ports/state.js';
import { verifyIntents, type VerifierDeps, type VerifyOptions } from '../verification/intents.js';
import type { Attack, Presented, Scene } from './scene.js';
import { STAND_IN_AGENT, STAND_IN_PRINCIPAL, type Stage } from './stage.js';

/** How an attack ended. */
export interface AttackEnd {
  readonly attack: Attack;
  /** False for one that the oracle finds nothing wrong with. */
  readonly counts: boolean;
  /** The code that stopped it, or `ERROR` where the verifier failed; null where it got through. */
  readonly code: string | null;
}

/** The verifier under attack. Ends with `close`. */
export class AttackedVerifier {
  readonly #stage: Stage;
  readonly #open: OpenThrowaway;
  readonly #findings = new Map<Presented, PassportFinding>();
  readonly #pins: readonly PinnedKey[];
  readonly #passport: Passport;
  #now: number;
  #shared: Throwaway | null = null;

  /** @throws ShapeError where the passport is none, also with the keys that stand in */
  constructor(stage: Stage, open: OpenThrowaway) {
    this.#stage = stage;
    this.#open = open;
    this.#now = stage.now;
    this.#passport = passportOf(stage.own);
    this.#pins = [{ keyId: this.#passport.document.issuer_key_id, key: verifyKeyOf(STAND_IN_PRINCIPAL.raw)! }];
  }

  close(): void {
    this.#shared?.close();
    this.#shared = null;
  }

  /** Runs one. What came before is judged on a state of its own, and has to be accepted. */
  async run(attack: Attack): Promise<AttackEnd> {
    const { history, sent, scene } = attack;
    const now = this.#stage.now + scene.later;
    const before: { text: string; at: number }[] = [];
    const alone = history.length > 0;
    const throwaway = alone ? this.#opened() : (this.#shared ??= this.#opened());
    try {
      for (const each of history) {
        const at = now - (each.ago ?? 0);
        const text = this.#stage.textOf(each, at);
        const code = await this.#judge(throwaway, text, at, scene, false);
        if (code === null) before.push({ text, at });
      }
      const text = this.#stage.textOf(sent, now);
      const code = await this.#judge(throwaway, text, now, scene, !alone);
      const counts = attack.open !== null || this.#stage.faultsAt(attack, now, text, before).length > 0;
      return { attack, counts, code };
    } finally {
      if (alone) throwaway.close();
    }
  }

  #opened(): Throwaway {
    return this.#open({ passport: this.#passport, pins: this.#pins, clock: () => this.#now });
  }

  async #judge(throwaway: Throwaway, text: string, at: number, scene: Scene, dryRun: boolean): Promise<string | null> {
    this.#now = at;
    const geo = scene.geo === 'fair' ? this.#stage.geo : scene.geo;
    const { policy } = throwaway.options;
    const options: VerifyOptions = {
      ...throwaway.options,
      ...{ dryRun, geo, policy: { ...policy, minTrust: scene.score === null ? null : 0.5 } },
    };
    try {
      const [judgement] = await verifyIntents(this.#depsIn(throwaway, scene), options, [{ bytes: text, source: null }]);
      const { success, error_code } = judgement!.decision;
      return success ? null : error_code;
    } catch {
      // It has accepted nothing.
      return BROKE;
    }
  }

  #depsIn({ deps }: Throwaway, scene: Scene): VerifierDeps {
    const finding = this.#findingOf(scene.presented);
    const own = this.#passport.agent.id;
    return {
      ...deps,
      passport: (agentId) => (agentId === own ? finding : { status: 'unknown' }),
      pins: (principal) => (principal === this.#passport.document.principal ? this.#pins : []),
      approved: () => scene.approved,
      hooks: () => (scene.hook ? async () => Promise.resolve([REFUSING]) : null),
      freshness: () => ({ mesh: scene.standing === 'stale', ageMs: null, maxAgeMs: 0, onStale: 'deny' }),
      trust: () => (scene.score === null ? null : ({ score: scene.score, meaningful: true } as KnownTrust)),
      state: {
        ...deps.state,
        transact: (work) => deps.state.transact((ledger) => work(this.#told(ledger, scene))),
        rehearse: (work) => deps.state.rehearse((ledger) => work(this.#told(ledger, scene))),
        look: (work) => deps.state.look((ledger) => work(this.#told(ledger, scene))),
      },
    };
  }

  /** The ledger with what the scene says of standing, and with the passport known as the last one. */
  #told(ledger: Ledger, { standing }: Scene): Ledger {
    const { document, agent, serial } = this.#passport;
    const stopped = {
      revoked: agent.id,
      suspended: agent.id,
      'principal revoked': document.principal,
      'key revoked': STAND_IN_AGENT.text,
    };
    const floor = {
      agentId: agent.id,
      issuerKey: STAND_IN_PRINCIPAL.text,
      serial,
      hash: this.#passport.hash(),
      raisedAt: 0,
    };
    return {
      ...ledger,
      floors: () => [floor],
      standing: (subject) =>
        standing !== 'active' && standing !== 'stale' && stopped[standing] === subject
          ? this.#record(subject, standing)
          : null,
    };
  }

  #record(subject: string, standing: Scene['standing']): StandingRecord {
    const suspended = standing === 'suspended';
    return {
      ...{ subject, status: suspended ? 'suspended' : 'revoked', reason: 'redteam', changedAt: this.#now - 1000 },
      ...{ changedBy: null, suspendedUntil: suspended ? this.#now + 3_600_000 : null, version: 1 },
    };
  }

  #findingOf(which: Presented): PassportFinding {
    let found = this.#findings.get(which);
    if (found === undefined)
      this.#findings.set(
        which,
        (found = which === 'unknown' ? { status: 'unknown' } : findingIn(this.#stage.presented(which))),
      );
    return found;
  }
}

/** Said of a verifier that threw. */
const BROKE = 'ERROR';

function findingIn(json: JsonObject): PassportFinding {
  try {
    return { status: 'found', passport: passportOf(json) };
  } catch (error) {
    if (error instanceof ShapeError) return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

const REFUSING: Facts['hooks'][number] = {
  hook: 'redteam',
  result: 'reject',
  violation: violation('ACTION_DENIED', 'A stand-in for a hook refuses.', { agent_id: '' }),
};
