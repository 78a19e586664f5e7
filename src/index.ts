/** The library: what the command line is made of, under the names of the guide. */
export {
  closeWorkspace,
  configureMesh,
  configureTrustScoring,
  createIntent,
  createPassport,
  ensurePassport,
  getTrustScore,
  getVerificationLogs,
  guardCall,
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
export type { KeyStoreName } from './app/ports/state.js';
export type { AgentPassport } from './library/agent-passport.js';
export type { EnvelopeOptions } from './library/options/envelopes.js';
export type { Duration } from './library/options/given.js';
export type { Hook, HookAnswer, HookIntent } from './app/verification/hooks/hooks.js';
export type { GuardCall, GuardCallOptions } from './library/guard-call.js';
export type { HookOptions } from './library/hooks.js';
export type { CreateIntentOptions, IntentOptions, SignIntentRequest } from './library/intents.js';
export type { KeyOptions } from './library/options/keys.js';
export type { MeshOptions } from './library/mesh/options.js';
export type { ReinstateOptions, RevokeOptions, StandingChange } from './library/mesh/mesh.js';
export type { CreatedPassport, CreatePassportOptions } from './library/passports.js';
export type { Shield, ShieldedFunction, ShieldedObject } from './library/shield.js';
export type { ParamMap, ShieldOptions } from './library/options/shield.js';
export type { OutcomeOptions } from './library/calls/outcomes.js';
export type { ApprovalOptions } from './library/calls/persons.js';
export type { TrustScore, TrustScoringOptions } from './library/trust.js';
export type { VerifiableIntent } from './library/verifier.js';
export type { VerifiableApproval, VerifyIntentOptions } from './library/options/verification.js';
export type { LogQuery, Workspace, WorkspaceOptions } from './library/workspace.js';
export type { Entry } from './protocol/log/entry.js';
export type { ActionApprovalDocument } from './protocol/approvals/approval.js';
export type { ApprovalRequestDocument } from './protocol/approvals/request.js';
export type { IntentDocument } from './protocol/intent.js';
export type { PassportDocument } from './protocol/passport.js';
export type { Json, JsonObject } from './protocol/json/values.js';
export type { CheckReport, Decision, Refusal, RevocationReport, Warning } from './verify/decision.js';
