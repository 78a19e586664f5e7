export function text(): string {
  return `# When an agent goes rogue

# 1. Stop it
  aip revoke support-agent-v1 --reason "refunds without orders"
It returns when the mesh has it on disk, and says how many verifiers have applied it and after how many ms. Not sure yet? Then
  aip suspend support-agent-v1 --for 30m --reason "looking into it"
The whole principal, or everything:
  aip revoke did:web:acme.com --reason "breach"
  aip revoke --everyone --reason "breach"
One key, when no principal is at hand; its id or its text:
  aip revoke did:web:acme.com:agents:support-agent-v1#key-1 --reason "leaked"

Where a mesh is joined, that holds for the fleet, and any machine with an operator's key may say it: names are looked up at the mesh, and
an agent that it never heard of is named by its whole id.
Without a mesh it holds on this machine alone, and is said so.
Exit 3 with never_seen: neither this machine nor the mesh has ever seen that id. It is denied all the same, and the nearest ids are named:
most likely it was mistyped. Where it is meant: --unseen.
Exit 5 with AIP-E501: it is durable, and a verifier has not confirmed. aip mesh status shows which; one that denies when stale
refuses at the latest after its revocation.max_age.
Exit 5 with AIP-E500: the mesh cannot be reached. Stop the agent where you are, and give the command again:
  aip revoke support-agent-v1 --reason "..." --local

# 2. Look
  aip status                                  all that is stopped, by whom, and where mesh and machine differ
  aip status support-agent-v1
  aip logs tail --mesh --agent support-agent-v1 --since 24h
                                              what it did, on every machine that ships its log; without --mesh on this one
  aip health support-agent-v1                 where it is verified, as aip logs verify

# 3. Repair
  aip passport rotate support-agent-v1 --overlap 0s
                                              a new key, when the old one leaked: the old one is denied at once
  aip passport update support-agent-v1 --monetary-limit 50
                                              narrower: the passport before it is refused from then on
  aip mesh key revoke <id>                    when an API key leaked: its streams end within a second
  aip mesh log drop <log id> --reason "..."   when somebody shipped a log that is made up (admin)

The first two say how many machines have it. Exit 5: a verifier has not confirmed, and is named; or the mesh cannot be reached: then it
is true of this machine only, and aip passport publish hands it in later.

# 4. Let it back (admin)
  aip reinstate support-agent-v1 --reason "key rotated"
  aip intent verify intent.json --dry-run

A verifier that is absent may go on refusing until it hears of it.

# 5. A verifier that died
  aip mesh status                             who is on the roster and does not listen, and what that one does meanwhile
  aip mesh forget <label>                     when it will not come back: from then on nobody waits for it

# 6. The mesh that died
  aip mesh restore <backup>                   lists the orders to give again: denies, keys, principals, passports
Where a server of another region goes on, it is promoted: aip help growing has the runbook. Until then --local stops an agent on each machine.

# 7. Two homes: aip mesh status says mesh_fork, or a server that follows says FORK
One goes on. Where both are of one term, stop it, and give it a greater one, which loses nothing:
  aip mesh backup <file>
  aip mesh restore <file>                     then aip mesh serve, as before
The other is stopped, and follows. What it denied is given again there; what it reinstated is listed:
  aip mesh serve --follow <url>

# 8. Know that it works before you need it
  aip mesh drill --within 1s
`;
}
