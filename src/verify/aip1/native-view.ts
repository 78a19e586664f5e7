import type { Intent } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import type { Identified } from '../context.js';
import type { Aip1Context } from './context.js';

/** An envelope as the shared checks see it: the same agent, action, params and facts, under the native names. */
export function nativeView(context: Aip1Context, passport: Passport): Identified {
  const { envelope, policy, facts, now, limits } = context;
  const intent: Intent = {
    document: {
      agent_id: envelope.agentId,
      action: envelope.action,
      params: envelope.parameters,
      ...(envelope.target === '' ? {} : { target: envelope.target }),
      timestamp: Math.floor(envelope.issuedAt / 1000),
      nonce: envelope.entropy,
      signature: envelope.proofText,
    },
    // Shared checks come after the signature and never look at it again.
    signedBytes: new Uint8Array(),
    signature: null,
    hash: envelope.hash,
  };
  return { intent, passport, limits, policy, facts, now };
}

/** The same for checks that ask a passport for nothing but its principal. */
export function nativeViewUnder(context: Aip1Context, principal: string): Identified {
  return nativeView(context, { document: { principal } } as Passport);
}
