export function text(): string {
  return `# Growing: regions, and moving home

One file on one machine is the right start: one server serves thousands of verifiers. Regions bring the mesh near to verifiers that are
far away, and keep what it knows in several places.

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
