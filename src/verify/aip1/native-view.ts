import type { Envelope } from '../../protocol/aip1/envelope.js';
import type { Intent } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import type { Identified } from '../context.js';
import type { Aip1Context } from './context.js';

/** An envelope as the shared checks see it: the same agent, action, params and facts, under the native names. */
export function nativeView(context: Aip1Context, passport: Passport): Identified {
  const { intent, policy, facts, now, limits } = context;
  // AIP-1 names denied keys in its own step.
  return { intent, passport, limits, policy, facts, now, believed: [] };
}

/** An envelope under the names of an intent, for hooks, approvals and the log. */
export function intentOf(envelope: Envelope): Intent {
  const { agentId, action, parameters, target, issuedAt, entropy, proofText, signedBytes, hash } = envelope;
  return {
    document: {
      agent_id: agentId,
      action,
      params: parameters,
      ...(target === '' ? {} : { target }),
      timestamp: Math.floor(issuedAt / 1000),
      nonce: entropy,
      signature: proofText,
    },
    signedBytes,
    // Whoever gets this comes after the signature and never judges it again.
    signature: null,
    hash,
  };
}

/** The same for checks that ask a passport for nothing but its principal. */
export function nativeViewUnder(context: Aip1Context, principal: string): Identified {
  return nativeView(context, { document: { principal } } as Passport);
}
