/**
 * The catalogue of refusal codes: errors, `aip explain` and the README's table are all made from it.
 * Message text stands here and nowhere else.
 */

/** What a refusal is about; the exit code follows from it (10 who, 11 when, 12 what, 13 standing, 14 approval). */
export type Concern = 'who' | 'when' | 'what' | 'standing' | 'approval' | 'mesh';

/** One refusal code: what it means, which facts come with it, what to do. */
export interface CodeEntry {
  readonly code: string;
  readonly name: string;
  readonly concern: Concern;
  /** What happened, in one sentence. */
  readonly meaning: string;
  /** The members that `details` holds beside `agent_id`. */
  readonly facts: readonly string[];
  /** What to do about it. */
  readonly remedy: string;
  /** True for a code that this program adds to a catalogue of others, under a number that their document leaves free. */
  readonly extension?: true;
}

/** One entry of a catalogue, in the order a reader wants it. */
export function entry(
  code: string,
  name: string,
  concern: Concern,
  meaning: string,
  facts: readonly string[],
  remedy: string,
): CodeEntry {
  return { code, name, concern, meaning, facts, remedy };
}

/** The codes of the native dialect (protocol, section 4), by name. */
export const NATIVE_CODES = {
  MALFORMED_INTENT: entry(
    'AIP-E100',
    'MALFORMED_INTENT',
    'who',
    'The document is not a well-formed intent, so nothing in it was believed or stored.',
    ['reason', 'offset'],
    'Sign again with `aip intent sign`; `aip intent inspect <file>` shows where the document breaks.',
  ),
  INVALID_SIGNATURE: entry(
    'AIP-E101',
    'INVALID_SIGNATURE',
    'who',
    "The signature does not hold over the intent's bytes under the agent's key: the intent was changed, or another key signed it.",
    ['key_id', 'reason'],
    'Sign again with the key of this passport. If the intent came from elsewhere, treat it as forged.',
  ),
  UNKNOWN_AGENT: entry(
    'AIP-E102',
    'UNKNOWN_AGENT',
    'who',
    'This verifier has no passport for the agent.',
    [],
    'Run `aip passport import <file>`, or name the passport with `--passport <file>`.',
  ),
  PASSPORT_INVALID: entry(
    'AIP-E103',
    'PASSPORT_INVALID',
    'who',
    'The passport is malformed, was edited after it was signed, or its principal is not pinned here.',
    ['reason', 'principal'],
    'Get the passport from its principal again. Only where that is not pinned yet, and you trust it: `aip principal add <principal> --public-key <key>`.',
  ),
  PASSPORT_EXPIRED: entry(
    'AIP-E104',
    'PASSPORT_EXPIRED',
    'who',
    'The passport is not in force at the time of the check.',
    ['issued_at', 'expires_at', 'now'],
    'Where its term is over, have the principal renew it: `aip passport renew <agent>`. Where it is dated ahead, compare the clocks of both machines.',
  ),
  KEY_NOT_VALID: entry(
    'AIP-E105',
    'KEY_NOT_VALID',
    'who',
    'The intent names a key that the passport does not hold, or one that was rotated out and whose overlap has ended.',
    ['key_id', 'valid_until'],
    'Deploy the current key to the agent, and sign again.',
  ),
  ACTION_NOT_DECLARED: entry(
    'AIP-E201',
    'ACTION_NOT_DECLARED',
    'what',
    'The passport does not declare the action.',
    ['action', 'declared'],
    'If the agent should do this, have the principal add it: `aip passport update <agent> --add-action <name>`.',
  ),
  MONETARY_LIMIT_EXCEEDED: entry(
    'AIP-E202',
    'MONETARY_LIMIT_EXCEEDED',
    'what',
    'The amount is above the limit for one action, or in another currency than the passport allows.',
    ['requested', 'limit', 'currency', 'param'],
    'Ask for no more than the limit, or have a person do it. Splitting the amount runs into the daily limit, where one is set.',
  ),
  DOMAIN_RESTRICTION_VIOLATED: entry(
    'AIP-E203',
    'DOMAIN_RESTRICTION_VIOLATED',
    'what',
    'An address, URL or host in the params lies outside the allowed domains, or cannot be read as one.',
    ['requested_domain', 'allowed_domains', 'param'],
    'Send only to the allowed domains, or have the principal allow this one as well, with the whole list: `aip passport update <agent> --allowed-domain <name...>`.',
  ),
  SYMBOL_NOT_ALLOWED: entry(
    'AIP-E204',
    'SYMBOL_NOT_ALLOWED',
    'what',
    'The symbol is not on the list of allowed symbols.',
    ['requested', 'allowed', 'param'],
    'Use a listed symbol, or have the principal extend `allowed_symbols`.',
  ),
  RATE_LIMIT_EXCEEDED: entry(
    'AIP-E205',
    'RATE_LIMIT_EXCEEDED',
    'what',
    'The agent has used up the accepted actions of this window.',
    ['limit', 'window', 'used', 'retry_after_s'],
    'Sign a new intent after `retry_after_s` seconds.',
  ),
  VALUE_NOT_ALLOWED: entry(
    'AIP-E206',
    'VALUE_NOT_ALLOWED',
    'what',
    'A param has a value that is denied, or not on its allow list.',
    ['requested', 'allowed', 'param'],
    'Use a listed value, or have the principal change the list.',
  ),
  VALUE_LIMIT_EXCEEDED: entry(
    'AIP-E207',
    'VALUE_LIMIT_EXCEEDED',
    'what',
    'A number in the params is above its maximum or below its minimum.',
    ['requested', 'limit', 'param'],
    'Stay within the bound, or have the principal change it.',
  ),
  REQUIRED_PARAM_MISSING: entry(
    'AIP-E208',
    'REQUIRED_PARAM_MISSING',
    'what',
    'A param that the passport requires is absent, null, false or empty.',
    ['param'],
    'Add the param, and sign again.',
  ),
  APPROVAL_REQUIRED: entry(
    'AIP-E209',
    'APPROVAL_REQUIRED',
    'approval',
    'The action needs a signed approval by a person, for exactly this action.',
    ['reason', 'intent_hash', 'action_hash', 'request_id', 'expires_at', 'approvers', 'needed', 'not_counted', 'how'],
    'Have an approver answer `aip approvals approve <request_id>`, then sign a fresh intent with `--approval-request <request_id>`. The nonce is still unspent.',
  ),
  APPROVAL_SPENT: entry(
    'AIP-E216',
    'APPROVAL_SPENT',
    'what',
    'The request for approval that the intent names was used before: one approval runs once.',
    ['request_id', 'spent_at'],
    'Ask again: sign the action without `--approval-request`, and have the new request approved.',
  ),
  ACTION_DENIED: entry(
    'AIP-E210',
    'ACTION_DENIED',
    'what',
    'The passport denies the action by name.',
    ['action'],
    'Do not do this. A deny wins over a declaration.',
  ),
  PARAMS_INVALID: entry(
    'AIP-E211',
    'PARAMS_INVALID',
    'what',
    "The params do not satisfy the action's schema, or an amount is not an exact, non-negative number of its currency.",
    ['param', 'reason'],
    'Send the params that the passport describes: `aip passport show <agent>`.',
  ),
  DAILY_LIMIT_EXCEEDED: entry(
    'AIP-E212',
    'DAILY_LIMIT_EXCEEDED',
    'what',
    'With this amount the agent would pass what it may spend in 24 hours.',
    ['requested', 'spent', 'limit', 'window'],
    'Wait until earlier amounts leave the window, or have a person do it.',
  ),
  TIME_WINDOW_VIOLATION: entry(
    'AIP-E213',
    'TIME_WINDOW_VIOLATION',
    'what',
    'The passport does not allow actions at this time.',
    ['now', 'window'],
    'Try again inside the window.',
  ),
  GEO_RESTRICTION_VIOLATED: entry(
    'AIP-E214',
    'GEO_RESTRICTION_VIOLATED',
    'what',
    'The country of the request is not allowed, or was not given while the passport restricts it.',
    ['requested', 'allowed'],
    'Act from an allowed country, named with `--geo <CC>` where the intent is verified, or have the principal extend `geo_restriction`.',
  ),
  TOOL_CHANGED: entry(
    'AIP-E215',
    'TOOL_CHANGED',
    'what',
    'The tool is not what was pinned: its server changed it, or offers it for the first time.',
    ['tool', 'server', 'state'],
    'Look at what changed with `aip mcp diff -- <command of the server>`, and accept it with `aip mcp pin --accept -- <command>`.',
  ),
  REPLAY_DETECTED: entry(
    'AIP-E301',
    'REPLAY_DETECTED',
    'when',
    'This verifier has judged an intent with this nonce before; a nonce counts once.',
    ['nonce', 'first_seen_at', 'first_result'],
    'Sign a new intent for each action. If the agent sent this once only, somebody has captured and resent it.',
  ),
  TIMESTAMP_EXPIRED: entry(
    'AIP-E302',
    'TIMESTAMP_EXPIRED',
    'when',
    'The intent is older than the freshness window.',
    ['timestamp', 'age_s', 'max_age_s'],
    'Sign a new intent just before the action. If it is fresh, compare the clocks of both machines.',
  ),
  TIMESTAMP_IN_FUTURE: entry(
    'AIP-E303',
    'TIMESTAMP_IN_FUTURE',
    'when',
    'The intent is dated further ahead than clocks may differ.',
    ['timestamp', 'ahead_s', 'max_ahead_s'],
    'Compare the clocks of both machines, and set the one that is wrong.',
  ),
  NONCE_INVALID: entry(
    'AIP-E304',
    'NONCE_INVALID',
    'when',
    'The nonce is not 32 to 128 hex digits.',
    ['reason'],
    'Use a fresh random nonce of at least 16 bytes, written as hex; `aip intent sign` makes one.',
  ),
  AGENT_REVOKED: entry(
    'AIP-E401',
    'AGENT_REVOKED',
    'standing',
    'The agent is revoked: it may do nothing until it is reinstated.',
    ['reason', 'revoked_at', 'revoked_by'],
    'Find out why with `aip status <agent>`; when it is safe again: `aip reinstate <agent>`.',
  ),
  AGENT_SUSPENDED: entry(
    'AIP-E402',
    'AGENT_SUSPENDED',
    'standing',
    'The agent is suspended for a time.',
    ['reason', 'revoked_at', 'suspended_until', 'revoked_by'],
    'Wait until `suspended_until`, or lift it: `aip reinstate <agent>`.',
  ),
  PRINCIPAL_REVOKED: entry(
    'AIP-E403',
    'PRINCIPAL_REVOKED',
    'standing',
    'The principal is revoked or suspended, and with it every agent it answers for.',
    ['principal', 'reason', 'revoked_at', 'revoked_by'],
    'Find out why with `aip status <principal>`; when it is safe again: `aip reinstate <principal>`.',
  ),
  TRUST_SCORE_LOW: entry(
    'AIP-E404',
    'TRUST_SCORE_LOW',
    'standing',
    "The agent's trust score is below this verifier's minimum.",
    ['score', 'minimum'],
    'See what lowered it: `aip trust <agent> --explain`.',
  ),
  REVOCATION_STALE: entry(
    'AIP-E405',
    'REVOCATION_STALE',
    'standing',
    'The copy of the mesh on this machine is too old to say that the agent is still in good standing.',
    ['age_ms', 'max_age_ms'],
    'Bring the mesh back, or keep the copy current with `aip mesh follow`.',
  ),
  KEY_REVOKED: entry(
    'AIP-E406',
    'KEY_REVOKED',
    'standing',
    'A key whose signature was believed is revoked or suspended: `role` says whether the intent, the passport (issuer), a mandate or an approval carries it.',
    ['role', 'subject', 'key_id', 'reason', 'revoked_at', 'revoked_by'],
    "Give the agent a new key with `aip passport rotate <agent>`; where the issuer's key is denied, have the principal issue the passport with another one.",
  ),
  MESH_UNAVAILABLE: entry(
    'AIP-E500',
    'MESH_UNAVAILABLE',
    'mesh',
    'The mesh did not answer.',
    ['url', 'reason'],
    'See `aip mesh status`; verification goes on with the last known revocations.',
  ),
  PROPAGATION_INCOMPLETE: entry(
    'AIP-E501',
    'PROPAGATION_INCOMPLETE',
    'mesh',
    'The command is durable, but not every verifier has confirmed it in time.',
    ['propagated_to', 'connected'],
    'See which ones are missing with `aip mesh status`; nothing needs to be undone.',
  ),
} as const satisfies Record<string, CodeEntry>;

/** The names of the native catalogue. */
export type NativeCodeName = keyof typeof NATIVE_CODES;

/** The exit code of a refusal, by what it is about (protocol, "Exit codes"). */
export const EXIT_OF_CONCERN: Readonly<Record<Concern, number>> = {
  who: 10,
  when: 11,
  what: 12,
  standing: 13,
  approval: 14,
  mesh: 5,
};

/** The reason in the details of REVOCATION_STALE where the mesh refuses this machine's API key. */
export const MESH_KEY_REFUSED = 'mesh_key_refused';

/** The reason in the details of a passport whose serial is under the highest known. */
export const SUPERSEDED = 'superseded';
