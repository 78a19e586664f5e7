export function text(): string {
  return `# When an agent goes rogue

# 1. Stop it
  aip revoke support-agent-v1 --reason "refunds without orders"
It returns when the mesh has it on disk, and says how many verifiers have applied it and after how many ms. Not sure yet? Then
  aip suspend support-agent-v1 --for 30m --reason "looking into it"
The whole principal, or everything:
  aip revoke did:web:acme.com --reason "breach"
  aip revoke --everyone --reason "breach"

Exit 5 with AIP-E501: it is durable, and a verifier has not confirmed. aip mesh status shows which; one that denies when stale
refuses at the latest after its revocation.max_age.
Exit 5 with AIP-E500: the mesh cannot be reached. Stop the agent where you are, and give the command again:
  aip revoke support-agent-v1 --reason "..." --local

# 2. Look
  aip status support-agent-v1
  aip logs tail --agent support-agent-v1 --since 24h
  aip health support-agent-v1
  aip logs verify

# 3. Repair
  aip passport rotate support-agent-v1        a new key, when the old one leaked
  aip mesh key revoke <id>                    when an API key leaked: its streams end within a second

# 4. Let it back
  aip reinstate support-agent-v1 --reason "key rotated"
  aip intent verify intent.json --dry-run

# 5. Know that it works before you need it
  aip mesh drill --within 1s
`;
}
