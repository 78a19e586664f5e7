import { usage } from '../app/failure.js';
import type { Hook } from '../app/verification/hooks/hooks.js';
import type { EntryQuery } from '../app/ports/state.js';
import type { Entry } from '../protocol/log/entry.js';
import type { IntentDocument } from '../protocol/intent.js';
import type { PassportDocument } from '../protocol/passport.js';
import type { Decision } from '../verify/decision.js';
import type { AgentPassport } from './agent-passport.js';
import { agentIdOption, choiceOption, dateOption, onlyKnown, textOption } from './options/given.js';
import { guardCallWith, type GuardCall } from './guard-call.js';
import { Hooks, type HookOptions } from './hooks.js';
import { Intents, type CreateIntentOptions } from './intents.js';
import { OutcomeWriter } from './calls/outcomes.js';
import { Persons } from './calls/persons.js';
import { UnderWay } from './calls/under-way.js';
import { OpenKeys } from './options/keys.js';
import type { MeshOptions } from './mesh/options.js';
import { Mesh, type ReinstateOptions, type RevokeOptions, type StandingChange } from './mesh/mesh.js';
import { Passports, type CreatedPassport, type CreatePassportOptions } from './passports.js';
import { shieldWith, type Shield } from './shield.js';
import { Trust, type TrustScore, type TrustScoringOptions } from './trust.js';
import { Verifier, type VerifiableIntent } from './verifier.js';
import type { VerifyIntentOptions } from './options/verification.js';
import { localState } from '../workspace/state.js';
import { localWorkspace } from '../workspace/workspace.js';
import { programWorld, type WorldOptions } from './world.js';

/** Where a workspace keeps what it knows, and what stands in for the world around it. */
export type WorkspaceOptions = WorldOptions;

/** Which entries of the verification log; all that is given must match. */
export interface LogQuery {
  /** `did:web:<domain>:agents:<name>`. */
  readonly agentId?: string;
  /** The name of one action. */
  readonly action?: string;
  /** Accepted, or refused. */
  readonly status?: 'success' | 'failed';
  /** `AIP-E202`. */
  readonly code?: string;
  /** Inclusive. */
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
  /** The newest N that match. Default: 100. */
  readonly limit?: number;
}

/** Everything of the library in one folder: passports, keys, pins, log, hooks. */
export interface Workspace {
  /**
   * Makes an agent's key pair and a passport that its principal signs. The first passport of a domain makes the
   * principal's key as well, and pins it here. The private key goes into a key store and nowhere else; the passport is
   * known here at once, and written to a file by `save`.
   * @throws Failure USAGE, EXISTS (the agent has a passport here), KEYSTORE_*, KEY_NOT_FOUND (the principal's key is elsewhere)
   */
  createPassport(options: CreatePassportOptions): Promise<CreatedPassport>;
  /**
   * The passport of an agent that is known here, else a new one: for programs that may be started again. What a known one allows stays as
   * its principal signed it, whatever the options say.
   * @throws Failure as createPassport
   */
  ensurePassport(options: CreatePassportOptions): Promise<AgentPassport>;
  /**
   * Reads a passport: the path of its file, the id or name of an agent known here, or the document itself. Its signature
   * is judged by each verification, not here.
   * @throws Failure NOT_FOUND, UNREADABLE
   */
  loadPassport(from: string | Uint8Array | PassportDocument): Promise<AgentPassport>;
  /**
   * Signs what an agent intends to do, with a fresh nonce and the time. Whether it may is the verifier's question.
   * @throws Failure NOT_FOUND, USAGE, KEYSTORE_*, KEY_NOT_FOUND, WRONG_PASSPHRASE
   */
  createIntent(options: CreateIntentOptions): Promise<IntentDocument>;
  /**
   * Decides whether an agent may do what it signed. Acceptance is reported after the spent nonce, the counters and the
   * log entry are on the disk; calls made at the same time share that wait. A refusal is a decision, not an exception.
   * @throws Failure USAGE (options), STATE (the state file is damaged, locked or full): nothing was decided
   */
  verifyIntent(intent: VerifiableIntent, options?: VerifyIntentOptions): Promise<Decision>;
  /**
   * Wraps a tool, so that it runs only when its agent may run it.
   * @throws Failure USAGE (options); the wrapped tool throws VerificationError and Failure
   */
  readonly shield: Shield;
  /**
   * Runs a tool once its agent may run it, with exactly the params that were verified. What `shield` and the adapters are made of.
   * @throws VerificationError, Failure; `run` was not called then
   */
  readonly guardCall: GuardCall;
  /**
   * Entries of the verification log, newest first.
   * @throws Failure USAGE, STATE
   */
  getVerificationLogs(query?: LogQuery): Promise<Entry[]>;
  /**
   * How far an agent can be trusted, from what the log holds it to: by its id, or as `{agentId}`.
   * @throws Failure USAGE, STATE
   */
  getTrustScore(agent: string | { readonly agentId: string }): Promise<TrustScore>;
  /**
   * Says how scores are computed from now on; what is left out is as the guide says. Scores are folded anew from the log.
   * @throws Failure USAGE
   */
  configureTrustScoring(options: TrustScoringOptions): void;
  /**
   * Adds a verification of your own, asked about every intent of this workspace that no step before it refuses. Call what
   * comes back to take it away again.
   * @throws Failure USAGE
   */
  registerVerificationHook(hook: Hook, options?: HookOptions): () => void;
  /**
   * Says which mesh this workspace belongs to. From its first verification on it follows the mesh, without keeping the process alive.
   * Without this the environment decides: AIP_MESH_URL, AIP_MESH_KEY, AIP_MESH_PUBLIC_KEY; else the mesh that the home was joined to.
   * @throws Failure USAGE
   */
  configureMesh(options: MeshOptions): void;
  /**
   * Stops an agent, a principal or everyone: everywhere through the mesh, on this machine alone where there is none. Resolves when it is
   * durable; `propagated_to` of `connected` verifiers have confirmed by then. Already revoked is no error.
   * @throws Failure USAGE, NETWORK (the mesh cannot be reached or refuses), STATE
   */
  revokeAgent(options: RevokeOptions): Promise<StandingChange>;
  /**
   * Lets a revoked or suspended agent act again; takes an API key of the role admin.
   * @throws Failure USAGE, NETWORK, STATE
   */
  reinstateAgent(options: ReinstateOptions): Promise<StandingChange>;
  /** Waits for what is being signed and verified, forgets opened keys and closes the state. The workspace opens again when used. */
  close(): Promise<void>;
}

/**
 * A workspace in a folder of its own; nothing is opened or made before it is used.
 * @throws Failure USAGE
 */
export function openWorkspace(options: WorkspaceOptions = {}): Workspace {
  checkWorld(options);
  const world = programWorld(options);
  const here = localWorkspace(world);
  const hooks = new Hooks(world);
  const keys = new OpenKeys(here, options.passphrase);
  const passports = new Passports(here, keys);
  const intents = new Intents(world, keys, passports);
  const mesh = new Mesh(here);
  const trust = new Trust(here);
  const verifier = new Verifier(here, hooks, mesh, trust);
  const outcomes = new OutcomeWriter(here, world.notice);
  const underWay = new UnderWay();
  const persons = new Persons(here, mesh);
  return {
    createPassport: (asked) => passports.create(asked),
    ensurePassport: (asked) => passports.ensure(asked),
    loadPassport: (from) => passports.load(from),
    createIntent: (asked) => underWay.during(() => intents.create(asked)),
    verifyIntent: (intent, asked) =>
      underWay.during(async () => {
        const judgement = verifier.verify(intent, asked);
        return (judgement instanceof Promise ? await judgement : judgement).decision;
      }),
    shield: shieldWith({ passports, keys, verifier, world, outcomes, persons, underWay, notice: world.notice }),
    guardCall: guardCallWith({ passports, keys, verifier, world, outcomes, persons, underWay }),
    getVerificationLogs: async (query = {}) => {
      outcomes.write();
      return [...(await localState(here)).entries(entryQuery(query))].reverse();
    },
    getTrustScore: async (agent) => trust.score(agent),
    configureTrustScoring: (asked) => trust.configure(asked),
    registerVerificationHook: (hook, asked) => hooks.register(hook, asked),
    configureMesh: (asked) => mesh.configure(asked),
    revokeAgent: async (asked) => mesh.revoke(asked),
    reinstateAgent: async (asked) => mesh.reinstate(asked),
    close: async () => {
      persons.close();
      await underWay.idle();
      await verifier.close();
      outcomes.write();
      keys.close();
      mesh.close();
      await here.close();
    },
  };
}

const OPTIONS: ReadonlySet<string> = new Set(['home', 'passphrase', 'clock', 'onNotice']);
const QUERY: ReadonlySet<string> = new Set([...['agentId', 'action', 'status', 'code', 'since', 'until', 'limit']]);
const DEFAULT_LIMIT = 100;

function checkWorld(options: WorkspaceOptions): void {
  onlyKnown(options, OPTIONS, 'openWorkspace');
  if (options.home !== undefined) textOption(options.home, 'home');
  for (const name of ['clock', 'onNotice'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') throw usage(`"${name}" is not a function.`);
  }
}

function entryQuery(query: LogQuery): EntryQuery {
  onlyKnown(query, QUERY, 'getVerificationLogs');
  const { agentId, action, status, code, since, until, limit = DEFAULT_LIMIT } = query;
  if (!Number.isSafeInteger(limit) || limit < 1) throw usage('"limit" is not a whole number from 1.');
  choiceOption(status, 'status', ['success', 'failed']);
  return {
    last: limit,
    ...(agentId === undefined ? {} : { agentId: agentIdOption(agentId, 'getVerificationLogs') }),
    ...(action === undefined ? {} : { action: textOption(action, 'action') }),
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code: textOption(code, 'code') }),
    ...(since === undefined ? {} : { since: dateOption(since, 'since') }),
    ...(until === undefined ? {} : { until: dateOption(until, 'until') }),
  };
}
