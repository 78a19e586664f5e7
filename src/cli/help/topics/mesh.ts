export function text(): string {
  return `# The mesh

A mesh tells every verifier within about 100 ms that an agent was revoked, suspended or reinstated, and never loses that. Verification
stays local: each machine keeps a copy, and looking into it takes no network.

# Set up
  aip mesh serve                              on one machine; prints its URL and the key it signs with
  aip mesh key create --role verifier         a key for each machine that listens
  aip mesh join <url> --mesh-key <ed25519:...> --key-file <file>
                                              on that machine; pins the mesh's key
  aip mesh follow                             there, as a service: keeps the copy current
  aip mesh status                             who listens, and how far each one is
  aip mesh drill                              proves that the switch works, and how fast

AIP_MESH_URL, AIP_MESH_PUBLIC_KEY and AIP_MESH_KEY do the same as join, for containers and CI.

A certificate of an authority of your own: aip mesh join --ca <file>, the key mesh.ca, or AIP_MESH_CA, each with a file in PEM. Those
authorities are then believed of the mesh, and no others.

An API key goes to another machine over https only. Inside a network that you trust, aip mesh join --insecure-http permits plain http and
keeps that as mesh.insecure_http (AIP_MESH_INSECURE_HTTP); without it every command refuses (exit 2) before it sends anything.

aip mesh leave takes a machine out: the mesh is told, and what it denied stays denied there; reinstate first what shall act again.

# Who should be listening
Every verifier that ever listened is on the roster, by its own key (verifier.key beside the state, mode 0600) and a label: mesh follow
--label, else the label of its API key (with the host's name where the key is for several), else the host's name. revoke, status and drill
count the roster, not the connections: "applied by 1 of 2; us-1 absent since 22:13 (last-known: may still accept)" is exit 5. One that
denies when stale is settled once its bound has passed. An API key is for one verifier (--max-verifiers, --ephemeral say more).
A machine that follows nothing and verifies from cron or CI with a key of role verifier is on the roster once a decision has reached the
mesh, and absent between them. For CI: mesh key create --ephemeral (10 min unseen, and it is no longer missed), or revocation.on_stale: deny. One
for which its key has no room is warned (not_on_roster), and refuses (AIP-E405) whatever the mesh does not confirm at that moment.
A verifier that stops in order (SIGTERM of follow) says so and is not missed; until somebody follows there again, that home refuses
(AIP-E405) unless the mesh answers. aip mesh forget <label> takes one off that will not come back.
aip mesh drill --challenge <hex> has every verifier answer with the value, signed; the report holds the answers.
A machine whose API key was revoked is told (mesh_unauthorized), and its follow ends (exit 5) when the mesh goes on refusing the key: aip
mesh join with another one, then follow again. Until then its copy grows old, and revocation.on_stale decides.

# Passports travel
  aip mesh principal add <did> --public-key <key>   admin: the mesh takes the passports that this key signs
  aip passport publish <agent>                      operator: in force everywhere, with the speed of a revocation
update, renew and rotate publish by themselves where this machine has joined with a role that may, and say who has it. From the event on
every verifier refuses older passports of the agent; it fetches the new one and checks it against the principals pinned there, which the
mesh cannot replace: those of a principal come by themselves once aip principal add has pinned it on that machine.
aip mesh passport withdraw <agent> (admin) takes back one that was published by mistake.

# Roles of API keys; operator and admin may do what the ones before them may
  observer   standing, events, status
  approver   as observer; read and answer the requests for approval that name it (aip help approvals)
  verifier   as observer; ship verification logs, ask for approvals
  operator   revoke, suspend, publish passports, drill
  admin      reinstate, make and revoke keys, principals, roster
Beside them, region: a server that follows this one and may copy it, nothing more (aip help growing).
Revoking is easy on purpose; reinstating needs more.

# Where the secrets are
The server keeps its signing key (mesh.key) and the first admin's API key (admin.key) in its data folder, plain text, mode 0600, as SSH
keeps host keys: a server must start when nobody is there to type a passphrase. Who reads mesh.key can forge the mesh.
Where the first admin's key is lost: stop the server, and start it once with --new-admin-key. Another is made in admin.key, with the same
signing key of the operator; the lost one counts no more, and every other key stays.
aip mesh serve --key <address> has the signing key elsewhere from then on (ssh-agent:, hashivault://, awskms:///, cmd:; aip help keys), and
mesh.key holds its address; of a mesh that has a key already it must be the same one. It is asked once for each event, proof that a listener
asks for, and shipment of logs, eight at once, and for heartbeats at most twice a second: a command takes as much longer as the key takes.
While it does not answer, commands are refused (503, ask again), heartbeats prove nothing, and verifiers go by their age limit.
On a machine that joins, --key goes into the key store, --key-file is read where it is (mode 0600), and AIP_MESH_KEY stays in the environment. A
key in an argument is seen by other users of the machine and kept by the shell's history.

# Logs that verifiers ship
They stand in a file of their own (shipped.db), within --log-quota (1G unless said otherwise): the oldest entries are shed, and the metrics
say how many. With --log-retention 90d those that arrived longer ago go as well, a tenth of all a minute at most. A key ships 1 MiB a second at
most. A log that is full, or a disk that is nearly so, ends no mesh: the entries wait where they are.
A log id, and the name of a verifier, belong to the API key that shipped under them first. Where somebody made a log up under those of
another, revoke that key and drop the log; the verifier that has them ships from the next time on (start its aip mesh follow again):
  aip mesh log drop <log id or verifier> --reason "made up"
An admin signs that, as an erasure, and the mesh keeps its signed word on it: what was dropped, up to where, by whom, when and why.

# Backups
aip mesh backup <file> writes the store and mesh.key into one file of mode 0600, also while the server runs; who has it can forge the mesh.
aip mesh restore <file> puts it back under a greater term, moves aside what was there, and lists what must be given again.
A folder that holds mesh.key and no store, or whose database holds no log, is refused by mesh serve: an empty log under the same key would
let every agent act that was revoked. --new-log begins one under a key that was placed there before the first start.

# Signed commands
An operator whose public key is registered with the API key (aip mesh key create --public-key) signs each command with the key of
mesh.operator_key (RFC 9421, Ed25519). Where the server runs with --require-signed-commands, a stolen API key alone can neither revoke
nor reinstate.

# Fresh, stale, gone
A verification whose copy is older than revocation.max_age (30 s) asks the mesh once, for at most 300 ms. When that fails,
revocation.on_stale decides: last-known (the default) judges by the copy and says degraded: true; deny refuses with AIP-E405. A known deny denies
in every case. With T the moment of the commit, every verifier that denies when stale has applied it, or refuses, by T + max_age.

# For programs
The server describes itself at /openapi.json; the stream is server-sent events at /v1/mesh/stream, and in the form of the reference's
client at /mesh/events:
  curl -N -H "Authorization: Bearer $AIP_MESH_KEY" $AIP_MESH_URL/mesh/events
`;
}
