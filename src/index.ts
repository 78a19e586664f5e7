/** The library: what the command line is made of, under the names of the guide. */
export {
  closeWorkspace,
  configureMesh,
  configureTrustScoring,
  createIntent,
  createPassport,
  getTrustScore,
  getVerificationLogs,
  loadPassport,
  registerVerificationHook,
  reinstateAgent,
  revokeAgent,
  shield,
  verifyIntent,
} from './library/default-workspace.js';
export { signIntent } from './library/intents.js';
export { openWorkspace } from './library/workspace.js';
export { VerificationError } from './library/verification-error.js';
export { allow, reject, requireHumanApproval, VerificationHook } from './library/hooks.js';
export { Failure } from './app/failure.js';

export type { FailureCode } from './app/failure.js';
export type { KeyStoreName } from './app/ports.js';
export type { AgentPassport } from './library/agent-passport.js';
export type { EnvelopeOptions } from './library/envelope-options.js';
export type { Duration } from './library/given.js';
export type { Hook, HookAnswer, HookIntent } from './app/hooks.js';
export type { HookOptions } from './library/hooks.js';
export type { CreateIntentOptions, IntentOptions, SignIntentRequest } from './library/intents.js';
export type { KeyOptions } from './library/key-options.js';
export type { MeshOptions, ReinstateOptions, RevokeOptions, StandingChange } from './library/mesh.js';
export type { CreatedPassport, CreatePassportOptions } from './library/passports.js';
export type { Shield, ShieldedFunction, ShieldedObject } from './library/shield.js';
export type { ParamMap, ShieldOptions } from './library/shield-options.js';
export type { TrustScore, TrustScoringOptions } from './library/trust.js';
export type { VerifiableIntent } from './library/verifier.js';
export type { VerifiableApproval, VerifyIntentOptions } from './library/verify-options.js';
export type { LogQuery, Workspace, WorkspaceOptions } from './library/workspace.js';
export type { Entry } from './protocol/entry.js';
export type { IntentDocument } from './protocol/intent.js';
export type { PassportDocument } from './protocol/passport.js';
export type { Json, JsonObject } from './protocol/values.js';
export type { CheckReport, Decision, Refusal, RevocationReport, Warning } from './verify/decision.js';
