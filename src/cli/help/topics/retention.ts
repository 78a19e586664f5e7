export function text(): string {
  return `# Keep it
  aip logs export --out 2026-q1.jsonl         the chain goes with it: aip logs verify --file 2026-q1.jsonl
  aip logs export --encrypt age1... --encrypt "$(cat auditor.pub)" --out 2026-q1.jsonl.age
The archive is in the age format: each recipient opens it with their own key, and nobody else. Recipients are age1... and ssh-ed25519 public
keys; age itself reads it as well.
  aip logs verify --file 2026-q1.jsonl.age --identity ~/.ssh/id_ed25519

# Let go of old entries
  aip logs prune --older-than 90d             leaves a signed summary, so that the rest still verifies
With log.retention: 90d in the config it happens by itself, after verifications and hourly in mesh follow, serve and monitor: at most a tenth of the
log in one run, never what is younger by the mesh's time, nothing that the mesh does not have yet, and nothing while the mesh's time is not known.
An entry that a clock that was ahead dates in the future is as old as the next that is not. The summary is then signed with this verifier's own key.
aip logs prune without --older-than does the same at once; with --yes all of it.
Counts and trust scores outlive pruning (under rules that are set afterwards, a score is that of the entries left), and so do the leaves of the
tree: proofs of what is kept still hold.

# Forget one value
  aip logs erase --agent support-agent-v1 --param email --before 30d
  aip logs erase --entry 42                   all params of one entry
Chain and tree hold commitments, each with a salt of its own. Erased are the value and its salt; the details, message, target, intent hash, nonce
and signature of those entries, because they confirm a guess; what their outcomes say; and requests for approval that show the param, answered or
not. A signed entry of type erasure says which entries, and by whose key. What was decided, when, under which passport, and where it is recorded can
still be proved, of these entries and of all others; who asked and for what cannot.
Whether an entry counts for or against its agent stays beside it, so that no count and no trust score moves.
The state file is written anew, so that no page of it holds what was replaced: with a large log that takes a while, in which others wait. Copies
elsewhere are not reached: exports, backups, checkpoints of a file system. With --mesh an admin has it erased from what was shipped as well: that
takes the admin's own signature, whatever the mesh requires, and the mesh keeps a signed word of it. What verifiers ship later loses these values as
it arrives, where it was made before the erasure. A machine whose clock is ahead is taken at the mesh's time, as its clock is when it ships (with 15 s
on the safe side). Only what it wrote with a clock that was set right before it shipped counts by the time it shows; erase again what came in since.
aip logs verify finds values that are gone without an erasure that names them, with --file in a whole export as well.
Entries that the first version wrote hash their values as they are: only pruning takes those away.
`;
}
