export function text(): string {
  return `# Verification

Nine steps in this order; the first that fails ends it. A step that could not run is skipped with its reason, never passed.

  1  passport     E100 E102 E103 E104      known, whole, signed by a pinned principal, in force
  2  signature    E101 E105                made by a key of that passport that is valid now
  3  nonce        E301 E304                never seen before here, across processes and restarts
  4  timestamp    E302 E303                at most 300 s old, at most 30 s ahead
  5  action       E201 E210 E211           declared, and not denied
  6  constraints  E202-E209 E212-E214      all limits of the passport: aip help constraints
  7  hooks        E209, their own          your own checks
  8  revocation   E401 E402 E403 E405 E406 neither the agent, nor its principal, nor a key that signed is revoked or suspended
  9  trust        E404                     the score reaches the minimum, where one is set

A nonce is spent only by an intent whose signature holds, so nobody can burn another's nonces. An acceptance spends it, and so does
a refusal that could be a yes a moment later (dated ahead, rate, daily sum, time window, standing, trust): a captured intent cannot be held back.
Any other refusal, asked again, is the same refusal. The nonce, the counters and the log entry are written in one transaction, and
an acceptance is reported only after it is on disk. Of many processes racing for the last
place in a limit, exactly one wins. Nonces are kept for twice the freshness window; an intent of a time whose nonces are forgotten is
refused (E302) whatever --at and --max-age say, because it could be a replay. --dry-run still judges it.

  --dry-run       judges each intent as things stand, and writes nothing
  --at <time>     the clock for freshness, expiry and windows; standing (step 8) is always as known now
  --max-age 60s   another freshness window; verify.max_age in the config
  --json          the whole decision: aip help json

# Keys without a passport (AIP-1)
With nothing but --public-key K a signer picks its own name. The names that K has spoken as are remembered, a deny of any of them or of K
denies K, and the decision warns unbound_key; --public-key <agent id>=K binds the two. Denied keys (E406) are judged by their text wherever a
signature is believed: intent, passport, mandate, approval. aip revoke <did>#key-1 stops the key that the id names here or at the mesh; where
nobody knows its text, the id alone is denied, and that is said: key_text_unknown.

Hooks are modules that the config key hooks names; a program registers its own through the library. The default export is a hook, or
a list of them: an object with verify(intent), which answers, or resolves to, one of

  {result: "allow"}
  {result: "reject", code: "COMPLIANCE-001", message: "Sanctioned", details: {}}
  {result: "require-approval", reason: "over 10,000"}

within 5 s. It is given agent_id, action, params, timestamp, nonce, intent_hash, and target and key_id where there are, under these names
in both dialects. An error, silence or anything else is a refusal, HOOK_FAILED; a module that cannot be loaded is exit 2. Hooks are asked
only about intents that no earlier step refuses. A project's config file names hooks only once it is trusted: aip help config. Each module
runs in a thread of its own, which is ended where it never gives way, and prints to stderr; a program's own hooks run in the program.

aip explain AIP-E202 says what a code means, what its details hold, and what to do.
`;
}
