export function text(): string {
  return `# JSON

Every command takes --json: one document on stdout, with stable keys, null rather than absent. Streams are one object a line. What another standard gives a form (logs checkpoint, passport export --format pem) is printed in that form.
Warnings and errors are JSON on stderr, an object a line; remarks stay text there, and --quiet leaves them out. exec --json tells its decision there, because stdout is the command's:

  {"code":"KEYSTORE_LOCKED","message":"...","hint":"...","retryable":true,
   "exit_code":4}
  {"warning":"...","code":"..."}

# A decision (aip intent verify --json, one an intent)
  success           true or false: the only member to decide by, beside the exit code
  dialect           native | aip-1
  agent_id, action, intent_hash
  error_code        AIP-E202, null on success; error_message its name, message one sentence for people
  details           the facts: {"requested": 10000, "limit": 100, "currency": "USD", "param": "amount", "agent_id": "..."}
  violations        all that was found in the failing step: [{error_code, error_message, details}]
  checks            every step: [{check, status: passed | failed | skipped, reason}]
  revocation        {status: active | suspended | revoked | unknown, age_ms, degraded}
  warnings          [{code, message}]
  verified_at, source
  outcome_token     of a yes: 32 hex digits with which its caller may say later what became of it; no log holds it

  aip intent verify intent.json --json | jq -r '.error_code // "ok"'
  aip intent verify - --ndjson < intents.ndjson | jq -c 'select(.success | not)'

# The log (aip logs tail --json, one entry a line)
  type              verification | outcome | interrupted | erasure
  seq, timestamp, agent_id, action, target, params, status, error_code
  error_message, details, nonce, signature, intent_hash, intent_timestamp
  key_id, passport_hash, passport_serial, approval_request, dialect
  verifier, latency_us
  prev_hash, hash   the chain
  salts             32 bytes for each member that can be erased, so that the hash commits to it and does not hold it
  withheld, erased  commitments to params that the log masks or drops, and to what was erased, with what its details said of the agent's standing (details.attributable, details.revoked_at); else null
  observed          true for what a guard would have refused and let run (--observe): it counts for nothing; missing otherwise
An entry of the first version has null for what came later.

Lines of other programs keep their own members and gain a status.

# Health (aip health <agent> --json; without an agent a list)
  total             everything logged, unattributed included
  success_rate, failure_rate
                    of successful + failed; null when there is none
  unattributed      what may be a stranger's doing: it counts in neither rate
  trust_score       means nothing while trust_meaningful is false
  standing          {status: active|suspended|revoked, denied_by, reason, revoked_by, changed_at, suspended_until, source: mesh|this machine, age_ms}, as this machine knows it; aip status asks the mesh
  warnings          [{code, message}]: high_failure_rate (over 10 %), low_trust (under 0.7), rapid_failures, unusual_actions, unattributed_refusals
  status            ok | warning | critical (a meaningful score under 0.5)

Control and format characters are written as \\u escapes, so that looking at JSON is harmless. Other formats of verify: --format
human | json | github | sarif | junit.
`;
}
