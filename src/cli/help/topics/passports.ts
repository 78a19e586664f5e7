export function text(): string {
  return `# Passports

A passport says who an agent is and what it may do. It is public. Its principal signs it, with a key the agent does not hold: an
agent that edits its own file widens nothing, because the signature breaks (E103).

  agent id       did:web:<domain>:agents:<name>     name: a-z 0-9 . _ -, at most 63 characters
  principal      did:web:<domain>                   who answers for the agent
  actions        names, or {"name": ..., "params": <JSON Schema>}; what is not declared is refused (E201)
  denied_actions names that stay refused whatever else is declared (E210)
  constraints    limits on how: aip help constraints
  expires_at     RFC 3339 with Z, or null: never

# Pins
A verifier believes a passport only when its principal's public key is pinned there:
  by passport create     on the machine that makes it
  by hand                aip principal add did:web:acme.com --public-key ed25519:<64 hex>
  from the domain        aip principal add did:web:acme.com --resolve: did.json over HTTPS, shown before it is pinned
A key is never trusted because the document brings it along.

# Over time
  aip passport lint <agent...>  where it permits more than it needs to
  aip passport rotate <agent>   new key; the old one verifies for 24 h more, then never again
  aip passport export <agent>   as did.json, JWK, PEM, or an AIP-1 passport
  aip passport delete <agent>   destroys the key here; it asks for the name
To change what an agent may do, delete it where it was made, create it again with another file for --out, and import that on every
verifier: it replaces the passport that is known there, and the older one cannot come back unasked.

# Moving one to a verifier
  scp bot.passport.json verifier:
  aip principal add did:web:acme.com --public-key ed25519:...
  aip passport import bot.passport.json
`;
}
