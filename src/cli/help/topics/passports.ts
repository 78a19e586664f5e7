export function text(): string {
  return `# Passports

A passport says who an agent is and what it may do. It is public. Its principal signs it, with a key the agent does not hold: an
agent that edits its own file widens nothing, because the signature breaks (E103).

  agent id       did:web:<domain>:agents:<name>     name: a-z 0-9 . _ -, at most 63 characters
  principal      did:web:<domain>                   who answers for the agent
  actions        names, or {"name": ..., "params": <JSON Schema>}; what is not declared is refused (E201)
                 name: a-z A-Z 0-9 . _ : / -, at most 128 characters; or resource:<URI>, or a prefix that ends in /* (aip help guard)
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
  aip passport update <agent>   other actions or limits, same keys; what changes is shown before it is signed
    --draft new.json            writes that unsigned, to be tried (aip help policy); --from new.json then signs it
  aip passport renew <agent>    another term, nothing else
  aip passport rotate <agent>   new key; the old one verifies for 24 h more (--overlap), and with --overlap 0s is denied at once
  aip passport export <agent>   as did.json, JWK, PEM, or an AIP-1 passport
  aip passport delete <agent>   destroys the key here; it asks for the name
Each says who has it. On one machine alone it holds on that machine: the others go on with what they know until it is imported there, or
until a mesh carries it (aip help mesh, "Passports travel").

# Serials and floors
Every update, renewal and rotation raises the passport's serial. A verifier keeps a floor for each agent, the highest serial that it has
believed, and refuses a lower one (E103 superseded), no matter who presents it: what was narrowed stays narrow. A floor is raised by a verification
that passed the passport, by import, create, update, renew and rotate, and by the mesh's event; never by --dry-run, previews or a refused
document. It outlives delete. A floor from a document ends when the key that signed it is denied or no longer pinned; one from the mesh
ends when an admin withdraws it (aip mesh passport withdraw <agent>). Two passports of one serial: the one known first stays (E103 conflict).
  aip intent verify i.json --min-serial <agent id>=4   refuses what is older, on a machine that knows nothing yet

# Agent and principal on two machines
  aip passport request <name>   where the agent lives: makes its key, and writes what it asks for, signed with it (7 days, once)
  aip passport sign <request>   where the principal's key is: shows it, asks, signs. No private key travels
An agent that is known with another key takes --replace-key as well, which --yes does not imply. A key id (#key-2) names one key for
good: the new key gets the next number, whatever the request says, and aip passport import tells it where the agent lives.

# Moving one to a verifier
  scp bot.passport.json verifier:
  aip principal add did:web:acme.com --public-key ed25519:...
  aip passport import bot.passport.json
`;
}
