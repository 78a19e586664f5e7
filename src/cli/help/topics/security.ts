export function text(): string {
  return `# Security

# What a yes means
The intent was signed by a key that a principal pinned here has given to that agent; it is fresh, seen for the first time on this
verifier, within every limit of the passport, and nobody known here has revoked it. It is written down before it is reported.

# What it does not mean
  - that the agent decided well: a tricked agent may still do what it is permitted to. Permit little: aip passport lint.
  - that another verifier has not accepted the same intent: nonces and limits are kept per state file. Give the verifiers of one service one state, or each service one verifier.
  - anything, where the verifier itself is in the agent's hands. Verify where the action is carried out, as another user.

# What is relied on
  - the pins, and the user who can write this machine's config and state
  - the clock, to within verify.max_skew
  - Ed25519 under one strict rule: S < L, canonical A and R, no small-order key, whichever library computes

# What strangers can try
  - Rubbish sent in an agent's name is refused and logged as unattributed; it never lowers trust, burns a nonce, or revokes.
    Of what is larger than 4 KiB the log then keeps the hash and no params.
  - A cut log: aip logs verify finds changes, removals and reordering; a checkpoint kept elsewhere shows a cut end.
  - A planted config file: data only, never run; what could redirect trust or loosen verification counts only after aip config trust.
  - Text hidden in names: control, bidi and invisible characters never reach your terminal.

# A key has leaked
  aip passport rotate <agent> --overlap 0s    a new key; the old one is dead at once
  aip passport delete <agent>                 nothing can sign in its name from this machine

Nothing is sent anywhere: there is no telemetry, and the network is used only by commands that say so in their help.
`;
}
