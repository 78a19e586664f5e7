export function text(): string {
  return `# Growing: one memory for several verifiers, regions, and moving home

One file on one machine is the right start: one server serves thousands of verifiers. Regions bring the mesh near to verifiers that are
far away, and keep what it knows in several places.

# One machine, or several verifiers

One SQLite file on one machine is the default and needs no care. Leave it when several machines verify intents of the same agents: each
counts for itself, so that three verifiers allow a daily limit three times, and an intent accepted on one runs again on another.

# One memory for all verifiers
A PostgreSQL database (tested with 15) holds what must be counted once: nonces, rate windows, spending, and which approvals were used. The
log, pins, passports, trust and revocations stay on each machine.

  createdb aip && createuser --pwprompt aip_verifier
  aip state migrate --url postgres://owner@db.acme.com/aip --grant aip_verifier
  export AIP_STATE_URL='postgres://aip_verifier@db.acme.com/aip'
  aip doctor

or the config key state.url in the config of the home. The password is never an argument: PGPASSWORD, a line of ~/.pgpass or PGPASSFILE
(mode 0600), or the URL in the environment or the config file. TLS is verified: sslmode=verify-full with the authorities of Node, or
sslrootcert=<file> for your own; sslmode=require without a CA is refused, sslmode=disable is an explicit choice that doctor warns of. Hosts
separated by commas are tried in order, and the first that is no standby is used. pgbouncer in transaction mode works.

# What holds
Every batch of documents is one call. Limits are exact under any race: 64 processes on the last place of a limit get one yes. A yes is
settled in the database, then logged here, then told. What was settled by a process that was killed before it could log it appears as an
entry of type "interrupted" at the next start; nobody was told it, and what it counted stays counted.
Windows go by the database's clock; how old an intent is, by each machine's own. An action accepted more than 1,000 times in a minute is
kept by the second from then on, rounded against the agent by less than a second.

# When the database does not answer
it is asked again for two seconds, then the command ends with exit 5 and STATE_UNAVAILABLE: no decision, no yes. Nothing falls back to this
machine's own memory. A database restored from a backup has forgotten nonces since then: keep verifiers off it for ten minutes.

# A stolen password of a verifier
can burn nonces and use up limits. It cannot make the database forget a nonce, give a limit back, or read the tables: its user may call one
function.

# Sizes
Two connections for each verifier process; from about 40 on, put pgbouncer in between. A nonce takes about 400 bytes for 10 minutes or
twice the longest age of intents, an accepted intent about 100 bytes for two days. Durable answers need synchronous_commit on, which is
the default; with synchronous_standby_names they survive the primary. Back up the database as any other; a standby that is promoted is
found when all hosts are in the URL.

# Regions
One region is home. A server in each other region follows it: it copies the log event for event, serves it to the verifiers there, and
passes home's own signed proofs on. It never holds the mesh's private key.
  aip mesh key create --role region --label eu-west-1
                                              at home; the label is its name
  aip mesh serve --follow <home> --key-file <file> --mesh-key <ed25519:...>
                                              there, with --listen and TLS
  aip mesh status --regions                   which region is behind, or away
AIP_MESH_KEY and AIP_MESH_PUBLIC_KEY stand for the two flags. Verifiers join the server of their region. Commands may be given to any
server: a region passes them on as they came, and home judges the sender's own key. Without home a region proves nothing: its verifiers
grow stale by themselves, so that T + max_age holds there too; known denies deny.

The config lists the endpoints:
  mesh:
    regions:
      - {name: us-east-1, endpoint: "https://mesh-us.acme.com"}
      - {name: eu-west-1, endpoint: "https://mesh-eu.acme.com"}
    replication_mode: sync
    max_propagation_time_ms: 500
async answers after home's commit; sync after every region has stored it. Where one has not in time, nothing is undone: exit 5 with a table
of regions, and home goes on. Home's own region is the one with its URL; else: aip mesh serve --region us-east-1.

# Moving home while it runs
  aip mesh backup mesh.backup                 at home; bring it there by hand
  (stop the server of the region)
  aip mesh promote --mesh-key-file mesh.backup
                                              there; home seals itself
  aip mesh serve                              there: it is home now
  aip mesh serve --follow <new home>          on every other server
A sealed server takes no command and proves nothing; only promote, or a start with --follow, ends that.

# Runbook: the region of home is lost
1. Find the region that has the most: curl <region>/healthz on each shows its head.

2. Make sure that home is off and stays off: the machine, the network, or the service. Two homes would go on side by side.

3. Stop the server of that region, bring the backup there, and promote it. Until nobody goes by what home signed last, it is refused and
says how long to wait: revocation.max_age of this machine, which should be the longest of your verifiers.
  aip mesh promote --mesh-key-file mesh.backup --home-is-off
  aip mesh serve

4. Start every other region with --follow <the new home>. One that had stored more than the promoted one says so, as in 6.

5. aip mesh drill proves that the switch works again; aip mesh backup makes a new backup.

6. When the old home comes back, start it as a follower with the same data folder: aip mesh serve --follow <the new home>, with a key of
role region. What it had taken and nobody else had is moved aside and listed: denies are given again by themselves under their old cmd_id,
reinstatements and passports are only listed, because they would let somebody act.

An old home that starts as home by mistake seals itself as soon as one verifier or region that knows the new term speaks with it: each
of them shows the proof.
`;
}
