import { KEY_NAMES, KEYS, OTHER_VARIABLES, variableOf, type KeySpec } from '../../config/keys.js';

export function text(): string {
  const keys = KEY_NAMES.map((name) => {
    const spec = KEYS[name] as KeySpec<unknown>;
    const value = spec.fallback === null ? 'unset' : JSON.stringify(spec.fallback);
    const meaning = `${spec.meaning}; ${spec.kind.expects}; default ${value.length > 40 ? 'as in the guide' : value}`;
    return `    ${name.padEnd(33)}  ${meaning}`;
  });
  const others = Object.entries(OTHER_VARIABLES).map(([name, meaning]) => `    ${name.padEnd(20)} ${meaning}`);
  return `# Config

The first of these that says something wins:
  1.  a flag
  2.  the environment: ${variableOf('verify.max_age')} is verify.max_age, and so on; ${variableOf('verify.dialects')} takes native,aip-1 or ["native","aip-1"], other lists and objects are JSON
  3.  the trusted project files: package.json ("aip": {...}), .aiprc, .aiprc.json, .aiprc.yaml, .aiprc.yml, .config/aiprc, .config/aiprc.json, .config/aiprc.yaml and .config/aiprc.yml, from this folder up to the repository's root or the home folder; --config <file> replaces the search
  4.  the user file: config.json in the config folder
  5.  the default
aip config list --sources shows which one did. An unknown key or a value of the wrong kind is refused (exit 2).

# Project files
They are data: none is ever run. Code (.js, .mjs, .cjs) is read only when named by --config. Nothing in one counts before aip config
trust, which remembers what it says, the text of the hooks it names, and what these import (relative files and node: only). A trusted
file that is missing or has changed ends every verification at its place with exit 2, until it is trusted again or forgotten
(--forget); commands that deny (revoke, suspend, status) warn and go on. Two project files in one folder are an error.
Several trusted files add up: hooks of all run; principals are those that all agree on; of verify.* and revocation.* the stricter
counts, also against the home's config; of the rest the nearest. log.*, trust.* and monitor.* count in the home's config alone.
What every decision must hold to belongs there, or into the environment.
In CI, AIP_TRUST_CONFIG=sha256:<digest> lets a file count for one run: aip config trust --print gives the digest where it was read.

A public key (principals, mesh.public_key) may be named by its file in the config of the home and in one of --config, from that config's
folder. A project's file holds the key itself: a file beside it could change after it was trusted.

The config of the home is refused when it, or its folder, belongs to another user or can be changed by others.

# Keys
${keys.join('\n')}

  verify:                     in a file, dots are nesting (YAML; JSON likewise)
    max_age: 120s

# Folders
    --home, AIP_HOME    config, keys and state in this folder
    Linux               $XDG_CONFIG_HOME/aip, $XDG_STATE_HOME/aip, $XDG_DATA_HOME/aip/keys
    macOS               ~/Library/Application Support/aip
    Windows             %APPDATA%\\aip and %LOCALAPPDATA%\\aip
State is one file, state.db: spent nonces, windows, the verification log, pins and known passports.

# Proxies
HTTPS_PROXY and HTTP_PROXY (or in small letters, which win; ALL_PROXY for both) are honoured for the mesh, --resolve and webhooks, and
NO_PROXY names what is reached directly: *, a host with its subdomains, an address, a network (10.0.0.0/8), each with or without a
port. HTTPS runs in a tunnel that the proxy cannot read. Plain HTTP to this machine itself never goes through one. aip doctor shows them.

# Other variables
${others.join('\n')}
`;
}
