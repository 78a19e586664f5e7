export function text(): string {
  return `# Approvals

A passport says what needs a person (require_approval, aip help constraints), and a hook may ask for one too:

  require_approval: true
  require_approval: {actions, environments, above, approvers, count, ttl}
  aip passport create buyer --domain acme.com -a buy --constraint 'require_approval:={"above":100}'

Any one of actions, environments and above triggers it; without them every action does. Where environments or above
are named and an action shows no environment, or no money, that can be read, a person is asked too
("reason": "unreadable"), unless the action's schema has no such member. A target names no environment by itself.
approvers is a list of {id, public_key}; without it the principal approves. count of them have to (default 1). passport create, update and
request take a public_key in any form (an ssh-ed25519 line, a JWK, did:key...), a file that holds one, or the did or key id of a principal
that is pinned here; the passport holds ed25519: and hex.
ttl ("1m" to "30d", default "1h") is how long a request waits, how long a denial stands, and the most that an
approval may count.

# What happens
  1. The intent is refused with E209. Its details hold request_id,
     action_hash, expires_at, approvers, needed and how.
  2. A person looks and answers, on the machine that verifies or
     through the mesh (below):
       aip approvals list
       aip approvals show <id>
       aip approvals approve <id>
       aip approvals deny <id> --reason "wrong customer"
  3. The agent signs the same action again, with a new time and nonce:
       aip intent sign ... --approval-request <id>
     An envelope of AIP-1 carries no request; it is given beside it:
       aip intent verify envelope.json --approval-request <id>
  4. It is accepted once: the request is spent in the transaction that
     spends the nonce. The next is E216.

The same action asked again gets the same request while it waits. A denial ends it, and for ttl the same action is
refused with "reason": "denied" and no new request. At most 20 requests of an agent wait, and 1,000 in all: the next
is "reason": "too_many_pending". One of more than 64 KiB is not made ("too_large"), nor any where something else
refuses as well, for an agent that is stopped, and by --dry-run.

# What an approval is of
action_hash is SHA-256 over the RFC 8785 bytes of {agent_id, action, params, target, passport_hash}; target and
passport_hash are null where there is none. A changed param, another agent and a passport issued since need a new
approval. A request names the verifier that raised it (verifier.key beside the state), and only that one takes the
answer, or, where it is enrolled, all that share its database (aip help growing). An approval counts for 15 minutes unless --for says otherwise. Never counted: the agent's own key, two keys
of one approver as two people, an approver or key that is revoked or suspended, an approval dated more than 30 s
ahead of the verifier's clock.

# Where verifier and person share no file system
Through a mesh (aip help mesh). The verifier's machine has joined with a key of the role verifier, the person's with one of the role
approver, operator or admin:
  aip mesh key create --role approver --public-key ed25519:3f9a...
Then the person does the same as above, on the person's own machine: aip approvals list, show, approve, deny, watch. An approver reads the
requests that name it: by the public key that the API key was made with, by the id in its --label (did:...), or as a principal
that is registered at the mesh (aip mesh principal add); a key that says neither reads every request. Operators and admins read all.
The answer comes to the verifier when it follows (aip mesh follow, programs of the library), and else when an intent names the request: a
decision waits for it 300 ms at most. The mesh carries requests and answers and signs neither. The verifier judges each answer by the
keys in the passport and by its own pins, so a mesh can hold back a word and never say one. Params are read by those who may answer;
verifiers and observers see that there is a request, never what. A request over 56 KiB, and one more than the mesh takes (20 of an agent, 1,000
in all), stays on the verifier's machine, which says so. What is over is kept for a day.

On the page of the mesh (its URL in a browser, with an approver's key) the same requests wait under "Waiting for a person": all params in
canonical order, characters that look like others marked. It signs with a key file (PKCS#8 PEM, plain or encrypted with PBKDF2) that is opened in
the browser and sent nowhere. The page is the mesh's: who does not trust that machine with a key uses the command that it shows.

aip mesh serve --notify <url> rings a bell: a POST for each request, signed as Standard Webhooks 1.0 (AIP_WEBHOOK_SECRET), to https or this
machine, tried again for a while, with a link to the page and a text that chats show. It holds no params, and nothing in it approves.

By file, without a mesh: on the machine that verifies, where the approver's key is, and there again:
  aip approvals show <id> --json | jq .request > request.json
  aip approvals approve request.json -o approval.json
  aip intent verify intent.json --approval approval.json
The intent names the request. An approver's key is one of that machine's (aip key import <file> --id <did>#key-1), or --key-file <file>.

# In programs
shield and guardCall refuse with E209, and details.request_id names the request; guardCall({..., approval: <request_id>}) lets the
call through once it was approved, as /v1/guard does with approval_request. With waitForApproval: '10m' a call waits for the
answer, here or through the mesh; approve: async (request) => approval | null brings the request to a person your own way and gives back
the signed answer. Each time the action is signed afresh and the answer judged; without one that counts the refusal stays.

# Of one exact intent
  aip approve intent.json -o approval.json
  aip intent verify intent.json --approval approval.json
signs with the principal's key for this intent, nonce included, while it is fresh. It counts where the passport
names no approvers.
`;
}
