export function text(): string {
  return `# The verification log

Every verification is one entry, written in the transaction that spends its nonce: what was accepted is in the log, also after a crash.
An entry says who asked for what, the outcome, the code and its facts, how long it took, and which machine decided. What looks secret is
masked, by its name or its shape (headers, flags, URLs, JSON in a text, tokens); log.params can be full, masked or none.

# Read it
  aip logs tail -f --status failed            refusals as they happen
  aip logs tail --since 1h --code E202        what was asked beyond a limit
  aip logs tail -f --exit-on AIP-E301:3       ends with 15 at the third replay, for scripts
  zcat audit.jsonl.gz | aip logs tail --file -
                                              lines that another program wrote, and aip's own decisions; result, decision, success and the like become status; the line is printed as it was written
Times of other programs are read in the usual members and spellings: seconds to nanoseconds, text, UTC unless they say otherwise. What
cannot be read is counted and said, and --exit-on then ends with 15: nothing that was not understood reads as success.

# Prove it
Each entry holds the hash of the one before. A change, a removal or a new order shows:
  aip logs verify                             names the first entry that is wrong; exit 15
Whoever can write the file can also compute it all anew, or cut its end. A signed checkpoint that is kept elsewhere shows that:
  aip logs checkpoint > checkpoint.txt        copy it to another machine
  aip logs verify --checkpoint checkpoint.txt
  aip logs verify --signatures                every accepted intent was signed by its agent: what is appended later is not
A checkpoint is a C2SP tlog-checkpoint: the size and root of the Merkle tree over the entries, signed with this verifier's own key. Without
one, logs verify cannot know of an end that was cut off together with what the file remembers of it.

One action alone is shown to a stranger by aip logs prove and aip proof verify (aip help proof).

# What happened after a yes
An outcome is an entry of its own: ok or error, final, with exit code and duration; unknown leaves room for the final word. exec and shield
write it; others report it with the outcome_token that the decision gave to its caller alone, and without the token it is kept as a claim:
  aip outcome sha256:4f... --status error --token-file token.txt
  aip logs tail --type outcome                what became of which entry
An outcome never changes trust. A yes without a final word is unknown in aip health after log.outcome_ttl (1h).
The final word told again, by a script that tries again, is answered as it was; another one is refused.
No exit code gives a limit back by itself. Where the passport says daily_limit: {limit, release: true}, the caller of a decision gives its
place in the daily sum back when the action did not happen: aip outcome ... --status error --release under the token, release: true at
/v1/outcome, release: (error) => boolean of shield and guardCall. Once, within 24 hours, at most one daily limit in a day; rates never.

# Keep it, and let go of it
  aip logs export --format ocsf               also csv and cef, for a SIEM; a cell cannot become a formula
Archives that still verify, pruning and erasure: aip help retention.

# What does not count against an agent
A refusal before or at the signature (E1xx), a replay or a stale copy (E3xx), and what the verifier could not find out (E405, E5xx, a hook
that failed) may be a stranger's doing. So may a refused intent that is presented once more: details.presented_before marks it, and only
the first counts. So may a refusal under a key that is bound to no agent, whose holder picks the name: details.unbound_key marks it. These
are logged and shown as unattributed, and never lower trust nor stop an agent: else anyone could stop one by sending rubbish in its name.
Of them 120 a minute get an entry each; what goes beyond is counted by agent and code, and the log says so: details.folds_from_here in the
last one, and details.folded_before, {count, since, until}, in the next. Accepted intents and what an agent is held to always have their
entry. One with details.continued goes on with a call of MCP that a server asked more for: the first alone has a place in the limits.
`;
}
