export function text(): string {
  return `# Hosting a mesh

One process, one folder, no database server:

  aip mesh serve --listen 0.0.0.0:4180 --data /var/lib/aip/mesh \\
      --public-url https://mesh.acme.com:4180 \\
      --tls-cert /etc/aip/mesh.pem --tls-key /etc/aip/mesh-tls.key

--public-url is what the machines call it, by the name in the certificate. The first start makes mesh.key (signs the log; who reads it can
forge the mesh) and admin.key (the first admin's API key, shown once and on a terminal only), plain text and mode 0600: a server must start
when nobody is there to type a passphrase. Each machine gets a key of its own, made on the server:

  (umask 077; aip mesh key create --role verifier --label eu-1 > eu-1.key)
  aip mesh join https://mesh.acme.com:4180 --mesh-key ed25519:... \\
      --key-file /etc/aip/eu-1.key

or the variables AIP_MESH_URL, AIP_MESH_KEY, AIP_MESH_PUBLIC_KEY in a container. A certificate of an authority of your own: --ca <file>,
the config key mesh.ca, or AIP_MESH_CA.

# A stolen API key is not enough
where operators sign: aip init --domain ops.acme.com gives an operator a key pair, the admin registers its public half
(aip mesh key create --role operator --public-key ed25519:...), the operator joins with --operator-key did:web:ops.acme.com, and the server
runs with --require-signed-commands (and, at its first start, --operator-key for the admin's own).

# systemd
  [Unit]
  Description=aip mesh
  After=network-online.target
  Wants=network-online.target

  [Service]
  User=aip
  Environment=AIP_HOME=/var/lib/aip
  StateDirectory=aip
  StateDirectoryMode=0700
  ExecStart=/usr/local/bin/aip mesh serve --json --listen 127.0.0.1:4180 \\
      --public-url https://mesh.acme.com
  Restart=on-failure
  RestartSec=1
  SuccessExitStatus=143
  TimeoutStopSec=10
  LimitNOFILE=65536
  NoNewPrivileges=true
  ProtectSystem=strict
  ProtectHome=true
  PrivateTmp=true

  [Install]
  WantedBy=multi-user.target

SIGTERM stops accepting, finishes what was accepted, tells clients to come back spread over 5 s, and ends within 5 s. The first write that
fails ends the process with exit 3: after a failed fsync nothing that follows proves anything. On each verifier the same unit with
ExecStart=/usr/local/bin/aip mesh follow. Commands on these machines (mesh key create, backup, join) are given as that user and in that home:

  sudo -u aip AIP_HOME=/var/lib/aip aip mesh key list

# Behind nginx
Streams must pass unbuffered, and a quiet one must not be cut (the mesh says something every 2 s):

  location / {
      proxy_pass http://127.0.0.1:4180;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_cache off;
      proxy_read_timeout 60s;
      gzip off;
  }

A client behind a proxy that buffers all the same notices the silence within 4 s and changes to long polling. All clients share the proxy's
address, and so the limit on wrong API keys, which never slows a valid one.

# When it is down
Verification goes on: each machine judges by its copy, and by revocation.on_stale once that is old (aip help mesh: Fresh, stale, gone).
What was answered is on disk and survives kill -9; when the mesh is back, clients resume.
`;
}
