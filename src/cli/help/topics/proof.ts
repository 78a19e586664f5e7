export function text(): string {
  return `# Show a stranger one action
  aip logs prove 42 -o refund.proof.json      the signed intent, the passport, the decision, its place in the tree
  aip proof verify refund.proof.json --principal-key did:web:acme.com=<key> --verifier-key <key>
An AIP-1 envelope is shown in the same way, where its agent's passport was known: by a log with log.params: full, or with --intent. An HMAC shows
nothing to others.
An approval that came by file is not kept here: --approval <file> puts it into the bundle.
It needs no state and trusts nothing but the keys you name. Each step is ok, broken, or unproven without the key that would show it:
  who        the intent's signature, the passport's, and its principal's key
  what       the params, as they were signed; with one withheld or erased the step is unproven, unless --intent gives the document as it was sent
  limits     the passport's own limits, judged again, with the approvals in the bundle (for these --verifier-key is needed as well); a limit over time is the verifier's word, and so are a revoked approver and that an approval was used once
  decision   what the verifier decided, and when
  recorded   the entry's place in the tree that a checkpoint names; entries of the first version are proved as a whole chain
  seen       who else has seen that checkpoint
Exit 0 only when nothing is broken, and nothing that a key was given for is unproven.

# Checkpoints: the end of the log, kept elsewhere
  aip logs checkpoint -o checkpoint.txt       a C2SP tlog-checkpoint: origin aip.log/<log id>, size, root, signed by this verifier
  aip logs verify --checkpoint checkpoint.txt
Whoever can write the state file can compute it all anew, or put an older copy in its place. That shows against a checkpoint that is kept
elsewhere, and not without one.

# Witnesses: somebody else has seen it
  aip logs checkpoint --witness https://witness.example/aip --witness-key witness.example+a8c6d6f3+BEZ... -o checkpoint.txt
  aip logs prove 42 --witness https://witness.example/aip -o refund.proof.json
  aip proof verify refund.proof.json --verifier-key <key> --witness-key witness.example+a8c6d6f3+BEZ...
A C2SP witness (tlog-witness) adds its cosignature with the time at which it saw the checkpoint. It takes a later checkpoint only with the proof
that the log was not written anew: with a log that was cut, forked or replaced by an older copy it ends with exit 15. Its operator adds the log by
its origin, the first line of a checkpoint, and by the verifier's key as a note key. Without --witness-key a cosignature is kept unchecked.
The mesh that this machine has joined is a witness by itself: checkpoints and bundles carry its cosignature, and aip mesh follow has the tree
cosigned by the way. It counts under its own key, which mesh serve printed and joining pinned:
  aip proof verify refund.proof.json --verifier-key <key> --witness-key ed25519:<key of the mesh>
Where a mesh is joined, its cosignature is told without a flag, and not demanded. A mesh that cannot be asked, or is of an older version, is
said, and the checkpoint goes without; a verifier that never listened is not on its roster, and not cosigned. A log that was cut, forked or
replaced by an older copy ends with exit 15, and /metrics of the mesh counts it: aip_mesh_log_refused_total, reason fork or older.
A tree that another verifier has shown under the id of this log is said, and nothing is held against the log for it: shipping the log (aip mesh
follow) gives the id back, or revoking the API key of that verifier, or stopping its own key where both have one API key.
The mesh countersigns the chain as well, whenever entries are shipped to it. aip logs verify asks it about chain and tree, and uses what it
signed last and is kept here; --mesh fails where it cannot be asked.

# A part of the log, and all of it
  aip logs export --agent support-agent-v1 --since 30d -o part.jsonl
  aip logs verify --file part.jsonl --public-key <key of the verifier>
Each entry of a selection comes with its path in the tree, and the first one with the checkpoint: it is shown that each is in the log, and not
what was left out. A whole export is a chain, and a cut-off end shows against a checkpoint:
  aip logs checkpoint -o checkpoint.txt && aip logs export -o all.jsonl
  aip logs verify --file all.jsonl --checkpoint checkpoint.txt --public-key <key of the verifier>
Of a log that was pruned the tree cannot be worked out from an export: it is held to a checkpoint of the chain, which a principal signs
(aip logs checkpoint --principal did:web:acme.com -o chain.json), and which is not of an entry that was pruned.
`;
}
