export function text(): string {
  return `# Growing: one memory for several verifiers, regions, and moving home

One file on one machine is the right start: one server serves thousands of verifiers. Regions bring the mesh near to verifiers that are
far away, and keep what it knows in several places.

# One machine, or several verifiers

One SQLite file on one machine is the default and needs no care. Leave it when several machines verify intents of the same agents: each
counts for itself, so that three verifiers allow a daily limit three times, and an intent accepted on one runs again on another.

# One memory for all verifiers
A PostgreSQL database (tested with 15) holds what must be counted once: nonces, rate windows, spending, requests for approval and which of
them were used. The log, pins, passports, trust and revocations stay on each machine.

  createdb aip && createuser --pwprompt aip_verifier
  aip state migrate --url postgres://owner@db.acme.com/aip --grant aip_verifier
  export AIP_STATE_URL='postgres://aip_verifier@db.acme.com/aip'
  aip doctor

or the config key state.url in the config of the home. The password is never an argument: PGPASSWORD, a line of ~/.pgpass or PGPASSFILE
(mode 0600), or the URL in the environment or the config file. TLS is verified: sslmode=verify-full with the authorities of Node, or
sslrootcert=<file> for your own; sslmode=require without a CA is refused, sslmode=disable is an explicit choice that doctor warns of. Hosts
separated by commas are tried in order, and the first that is no standby is used. pgbouncer in transaction mode works. A new version comes
to all verifiers first, and then to the database (aip state migrate): an older verifier gives no decision over a newer schema.

# What holds
Every batch of documents is one call. Limits are exact under any race: 64 processes on the last place of a limit get one yes. A yes is
settled in the database, then logged here, then told. What was settled by a process that was killed before it could log it appears as an
entry of type "interrupted" at the first verification by a new process half a minute later or more; nobody was told it, and what it
counted stays counted. Places in a daily limit are given back (aip outcome --release) to who shows the outcome token of the decision, once.
Windows go by the database's clock; how old an intent is, by each machine's own. An action accepted more than 1,000 times in a minute is
kept by the second from then on, rounded against the agent by less than a second.

# One approval for all verifiers
A request for approval counts on the machine that raised it. It counts on all of them once the owner of the database has enrolled that
verifier's key, which aip doctor prints there:

  aip state verifier add <ed25519:...> --label web-1 --url postgres://owner@db.acme.com/aip

Then the same action has one request on every machine, aip approvals show, approve and deny take its id on any of them, and what was
approved runs once, wherever the agent brings it. Each machine judges the request's signature and every answer by itself. Who has the
password of a verifier and a request's id may read that request; ids are 128 random bits, and there is no list. A day after its end a
request is gone from the database.

# When the database does not answer
it is asked again for two seconds, then the command ends with exit 5 and STATE_UNAVAILABLE: no decision, no yes. Nothing falls back to this
machine's own memory.

# A database restored from a backup, or a standby that lagged
has forgotten what it took in since then. Nonces and used approvals: what was accepted can be accepted again while its time lasts, so keep
verifiers off the database for ten minutes, or longer where verify.max_age, the ttl of envelopes or an approval ends later. Rates and
spending: what was accepted since then counts no more, and a daily limit lets it through once more for up to 24 hours. Lower the
limits for a day (aip passport update), or suspend the agents that spend.

# A stolen password of a verifier
can burn nonces, use up limits and fill up the places of requests for approval. It cannot make the database forget a nonce, give a limit
back whose outcome token it has not, approve anything, or read the tables: its user may call one function.

# Sizes
Two connections for each verifier process; from about 40 on, put pgbouncer in between. A nonce takes about 400 bytes for 10 minutes or
twice the longest age of intents, an accepted intent about 100 bytes for two days. What was answered is on the disk, also where the role's
synchronous_commit is off; with synchronous_standby_names it survives the primary. Back up the database as any other; a standby that is
promoted is found when all hosts are in the URL. One that lagged behind, because synchronous_standby_names did not name it, has forgotten
what it lacks, as a restored backup has.

# Several servers of one mesh
One server of the mesh answers each command after its flush, serves thousands of verifiers, and is backed up as one file. Leave the file
when one machine must not be the end of the kill switch. Regions need no PostgreSQL, and PostgreSQL needs no regions; they go together.

  aip mesh migrate --from /var/lib/aip/mesh --to postgres://aip_mesh@db/aip
  aip mesh serve --store postgres://aip_mesh@db/aip

The servers are stopped for the migration: it keeps log id and hashes, raises the term, seals the old store, and compares both ends; and it
goes back the same way. Each server has the same mesh.key in its own --data folder; another is refused. The password is found as above,
or within the URL of AIP_MESH_STORE. The role needs CREATE on the database, once. Where others may create functions in that database's
schema public (before PostgreSQL 15 all may): ALTER ROLE aip_mesh SET search_path = pg_catalog.
A server signs its head only with the time of a write that the database committed after it was asked: one that is cut off, or talks to an
old primary, proves nothing, and its verifiers grow stale by themselves. A command is answered after the commit; where that is in doubt
(503 IN_DOUBT), asking again under the same cmd_id settles it. Who listens where is shared, so that "applied by N of M" is true on each.
Events come by NOTIFY at once, and by looking every 250 ms where a notification is lost; through pgbouncer none comes, and that is what
they cost.

Sizing: a server takes five connections, commits about two proofs a second while streams are open, and looks four times a second. Denies
are one commit at a time, whatever the number of servers. More streams want more servers. aip mesh drill measures your own.

Failover: give the database a synchronous standby (Patroni with synchronous_mode, or a managed PostgreSQL that commits in two zones), and
name all hosts in the URL. What was acknowledged then survives the primary. While no standby confirms, commands end in doubt and nothing is
proven; both come back with the standby. An asynchronous standby may lack what was acknowledged, also nonces and API keys, and then it is a
loss: set synchronous_standby_names on the primary. Each server that runs sees that the log lacks what it knew, says so and ends. Stop all
of them and begin a new history: aip mesh promote --store <url> --home-is-off; then compare aip mesh watch with a machine that verifies, and
give again what is missing.

Backup: the log is in the schema aip_mesh, backed up with the database; mesh.key is not in it, and belongs where keys belong. aip mesh
migrate --from <url> --to <dir> makes a folder, which aip mesh backup writes to one file.

Upgrade without downtime: one server after the other; SIGTERM sends its verifiers to the others. A server refuses tables of a later
version. Regions come after home, verifiers after both (aip help upgrade).

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
                                              there, with its region's key in AIP_MESH_KEY; home seals itself
  aip mesh serve --region <its own name>      there: it is home now
  aip mesh serve --follow <new home>          on every other server
A sealed server takes no command and proves nothing; only promote, or a start with --follow, ends that.

# Runbook: the region of home is lost
1. Find the region that has the most: curl <region>/healthz on each shows its head.

2. Make sure that home is off and stays off: the machine, the network, or the service. Two homes would go on side by side.

3. Stop the server of that region, bring the backup there, and promote it. Until nobody goes by what home signed last, it is refused and
says how long to wait: revocation.max_age of this machine, which should be the longest of your verifiers.
  aip mesh promote --mesh-key-file mesh.backup --home-is-off
  aip mesh serve --region <its own name>      with --listen and TLS, as before

Without its own name it would wait for itself where replication is sync, because its key as a region is still in force.

4. Start every other region with --follow <the new home>. One that had stored more than the promoted one says so, as in 6.

5. On a machine with an operator's key, joined to the new home, aip mesh drill proves that the switch works again: what a region has is a key
that may not. aip mesh backup, where home is now, makes a new backup. A verifier that listened anywhere is on its roster, and counts as absent
from the promotion on until it listens again: aip mesh status names them, aip mesh forget takes one off that is gone for good. Where home
never told the region its roster, promote says so (no_roster): then compare with a list of your own. Requests for approval that wait are
handed in again by the verifiers that raised them; an answer that had not reached these is given anew.

6. When the old home comes back, start it as a follower with the same data folder: aip mesh serve --follow <the new home>, with a key of
role region. What it had taken and nobody else had is moved aside and listed: denies are given again by themselves under their old cmd_id,
reinstatements and passports are only listed, because they would let somebody act. One whose log is in a database is made a folder first:
  aip mesh migrate --from postgres://aip_mesh@db/aip --to <dir>
  aip mesh serve --follow <the new home> --data <dir>

An old home that starts as home by mistake seals itself as soon as one verifier or region that knows the new term speaks with it: each
of them shows the proof.
`;
}
