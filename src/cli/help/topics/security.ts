export function text(): string {
  return `# Security

# What a yes means
The intent was signed by a key that a principal pinned here has given to that agent; it is fresh, seen for the first time on this
verifier, within every limit of the passport, and nobody known here has revoked it. It is written down before it is reported.

# What it does not mean
  - that the agent decided well: a tricked agent may still do what it is permitted to. Permit little: aip passport lint.
  - that another verifier has not accepted the same intent: nonces and limits are kept per state file. Give the verifiers of one service one state, or each service one verifier.
  - anything, where the verifier itself is in the agent's hands. Verify where the action is carried out, as another user.

# What holds, and what does not
  holds      what aip exec runs gets the verified params, from the bytes that were judged, never from a second reading of a file
  holds      nothing that lies in a project's folder weakens a decision; log, trust, monitor and state are set in the home alone
  holds      file tools of a coding agent (aip hook) and of an MCP server (aip mcp guard) never reach aip's own files, whatever the passport says; for a shell nothing of the kind is promised (aip help guard)
  holds      a config or state of another user, or that others may write, is refused by all that trusts it
  does not   aip exec is no boundary between processes of one user: the command can read this process's environment, and with it the passphrase, and then signs as the principal where that key is here. exec warns (principal_key_here); --strict refuses. Keep a principal's key on another machine or under another user, and run agents as a user of their own.
  does not   what the same user runs can change config, state, pins and keys of this home
  does not   root on the verifier decides what the verifier says, and can write any log; a checkpoint kept elsewhere shows it later
  does not   the pipe: "aip intent verify f && ./act f" reads f twice. Write doc=$(aip intent verify f --print-verified) && ./act <<<"$doc", or better aip exec --intent f -a <action> -- ./act; a pipe would start the consumer whatever the verdict is.

# What is relied on
  - the pins, and the user who can write this machine's config and state
  - the clock, to within verify.max_skew
  - Ed25519 under one strict rule: S < L, canonical A and R, no small-order key, whichever library computes

# What strangers can try
  - Rubbish sent in an agent's name is refused and logged as unattributed; it never lowers trust, burns a nonce, or revokes.
    Of what is larger than 4 KiB the log then keeps the hash and no params.
    Beyond 120 a minute they are counted, not kept (aip help logs).
  - A cut log: aip logs verify finds changes, removals and reordering; a checkpoint kept elsewhere shows a cut end.
  - A planted config file: data only, never run, and it counts for nothing until aip config trust. One that was trusted and is gone or changed ends every verification at its place; it cannot be displaced by a nearer, an emptied or a deleted file.
  - Text hidden in names: control, bidi and invisible characters never reach your terminal.

# A key has leaked
  aip passport rotate <agent> --overlap 0s    a new key; the old one is dead at once
  aip passport delete <agent>                 nothing can sign in its name from this machine

Nothing is sent anywhere: there is no telemetry, and the network is used only by commands that say so in their help.
`;
}
