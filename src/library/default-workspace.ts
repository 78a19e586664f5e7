/** The workspace that the plain functions share: this machine's own, opened when one of them first needs it. */
import { openWorkspace, type Workspace } from './workspace.js';
import type { Shield } from './shield.js';

let shared: Workspace | null = null;

function own(): Workspace {
  return (shared ??= openWorkspace());
}

/** Makes an agent's key pair and a passport that its principal signs. See `Workspace.createPassport`. */
export const createPassport: Workspace['createPassport'] = (options) => own().createPassport(options);

/** The passport of an agent that is known here, else a new one. See `Workspace.ensurePassport`. */
export const ensurePassport: Workspace['ensurePassport'] = (options) => own().ensurePassport(options);

/** Reads a passport: a file, a known agent, or the document itself. See `Workspace.loadPassport`. */
export const loadPassport: Workspace['loadPassport'] = (from) => own().loadPassport(from);

/** Signs what an agent intends to do. See `Workspace.createIntent`. */
export const createIntent: Workspace['createIntent'] = (options) => own().createIntent(options);

/** Decides whether an agent may do what it signed. See `Workspace.verifyIntent`. */
export const verifyIntent: Workspace['verifyIntent'] = (intent, options) => own().verifyIntent(intent, options);

/** Wraps a tool, so that it runs only when its agent may run it. See `Shield`. */
export const shield: Shield = ((options: never, tool: never) => own().shield(options, tool)) as Shield;

/** Runs a tool once its agent may run it. See `Workspace.guardCall`. */
export const guardCall: Workspace['guardCall'] = (options, run) => own().guardCall(options, run);

/** Entries of the verification log, newest first. See `Workspace.getVerificationLogs`. */
export const getVerificationLogs: Workspace['getVerificationLogs'] = (query) => own().getVerificationLogs(query);

/** How far an agent can be trusted. See `Workspace.getTrustScore`. */
export const getTrustScore: Workspace['getTrustScore'] = (agent) => own().getTrustScore(agent);

/** Says how trust scores are computed. See `Workspace.configureTrustScoring`. */
export const configureTrustScoring: Workspace['configureTrustScoring'] = (options) =>
  own().configureTrustScoring(options);

/** Adds a verification of your own. See `Workspace.registerVerificationHook`. */
export const registerVerificationHook: Workspace['registerVerificationHook'] = (hook, options) =>
  own().registerVerificationHook(hook, options);

/** Says which mesh this machine's workspace belongs to. See `Workspace.configureMesh`. */
export const configureMesh: Workspace['configureMesh'] = (options) => own().configureMesh(options);

/** Stops an agent, everywhere where there is a mesh. See `Workspace.revokeAgent`. */
export const revokeAgent: Workspace['revokeAgent'] = (options) => own().revokeAgent(options);

/** Lets a revoked agent act again. See `Workspace.reinstateAgent`. */
export const reinstateAgent: Workspace['reinstateAgent'] = (options) => own().reinstateAgent(options);

/** Closes what the functions above have opened; the next call opens it again. Hooks stay registered. */
export const closeWorkspace = async (): Promise<void> => shared?.close();
