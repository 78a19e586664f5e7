export function text(): string {
  return `# Scripts and CI

In a pipe or with CI set nothing is ever asked; --no-input says so explicitly. A missing answer, a name or a passphrase, is exit 2 and names
the flag. What a person at a terminal would only confirm is of two kinds:
  carried out as given       passport update, renew, rotate and sign; approvals approve and deny; approve; principal remove; suspend and reinstate of one agent, principal or key
  exit 2, which names --yes  revoke, and suspend and reinstate of everyone; passport delete; logs erase and prune; mesh leave, restore, migrate, promote, key revoke and log drop; config trust; principal add of another key; mesh join of another mesh

# A job that verifies
  export AIP_HOME=$RUNNER_TEMP/aip
  aip principal add did:web:acme.com --public-key "$PRINCIPAL_KEY"
  aip intent verify intents/*.json --passport passports/bot.json --format github
--format github marks the files of a pull request; sarif and junit are for the scanners and test reports of others.
Without files to verify the exit code is 2: an empty glob is not a yes.

# On GitHub
An action that installs, lints and verifies:
  on: pull_request
  jobs:
    verify:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/checkout@v4
        - uses: OWNER/aip/.github/actions/aip@TAG
          with:
            lint: passports/*.passport.json
            verify: intents/*.json
            passport: passports/bot.passport.json
            principal: did:web:acme.com=\${{ vars.PRINCIPAL_KEY }}
            min-serial: did:web:acme.com:agents:bot=3
A runner has a fresh home: it has seen no intent before and no newer passport. A replay of an intent from another run is found only where the
state is kept or shared (state.url, a cached AIP_HOME); a passport that was replaced is found by --min-serial, whose floor comes from the
mesh (aip mesh join) or from you. Take the principal's key from a variable of the repository: a pull request changes what is checked out.
With sarif: <folder> the action leaves lint.sarif and verify.sarif there for a scanner's upload.

Before a commit, with pre-commit: the hooks aip-passport-lint and aip-policy-test of this repository.

# In a container
  npm pack
  docker build -f .build/Dockerfile --build-arg PACKAGE=aip-cli-0.1.0.tgz .
Node, the package, no shell needed: --build-arg BASE=<image> takes a distroless image of Node 20.19 or later. It runs as user 65532 and keeps
its home in /var/lib/aip: mount a volume there, or every start is a fresh home.

# A job that signs
  export AGENT_PRIVATE_KEY    # ed25519:<64 hex>, from the secret store
  aip intent sign --passport bot.json --action deploy --param env=staging -o intent.json

# A gate
With the principal pinned, and AGENT_PRIVATE_KEY, as above:
  aip exec --passport bot.json --action deploy --param env=staging -- ./deploy.sh staging

# A passport that changes
  aip policy test policy/ --coverage --format junit > results.xml
A case says what a passport must permit and refuse: {"name": "too much", "passport": "bot.json", "now": "2026-02-18T12:00:00Z",
"history": [], "intent": {"action": "issue_refund", "params": {"amount": 101}}, "expect": "AIP-E202"}. It runs through the real verifier on
a state of its own; an intent without a signature is signed by a throwaway key, and a passport counts as if its principal had signed it.

# Config
A project file counts for nothing until trusted. On a runner: AIP_TRUST_CONFIG=sha256:<digest>, printed by aip config trust --print
where you read the file; another file, or a changed one, then ends with exit 2. Every key has its variable: aip help config.

# Exit codes
They tell who, when, what and standing apart: aip help exit-codes. Anything but 0 is a no.
`;
}
