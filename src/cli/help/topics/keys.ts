import { KEY_STORES } from '../../../workspace/key-stores.js';

export function text(): string {
  const stores = KEY_STORES.map(({ name, meaning }) => `  ${name.padEnd(9)}  ${meaning}`);
  return `# Keys

Two kinds of private key: the agent's signs intents; its principal's signs passports. Keep them on different machines where you can.
Neither ever enters a passport, a log, an error, an argument list or an unencrypted file, but for env, below.

# Where they live (--key-store, or key_store in the config)
${stores.join('\n')}

There is no silent fallback: without a usable keychain the command ends with exit 4 and names the choices; missing, locked, hanging
and lacking the item are four different messages, each within 5 s. A read that failed never makes a new key.
List, show and verify need no private key and never touch the key store.

# Keys that never come here (--key <address>, or key_store in the config)
  ssh-agent:SHA256:<fingerprint>    an Ed25519 key of the agent that SSH_AUTH_SOCK names; ssh-agent:<comment> as well
  hashivault://<key>                transit of Vault or OpenBao: VAULT_ADDR or BAO_ADDR; VAULT_TOKEN, BAO_TOKEN or ~/.vault-token; VAULT_NAMESPACE, VAULT_CACERT, TRANSIT_SECRET_ENGINE_PATH
  awskms:///<arn or alias>          Ed25519 in AWS KMS, messages up to 4,096 bytes: AWS_REGION, AWS_PROFILE, the usual credentials of the environment and of ~/.aws
  cmd:<program> [words]             a program, for PKCS#11 modules and other services; not in a config file
They are asked for each signature, which is verified here before it is used: another key, Ed25519ph, DER and other curves are refused
by name, and every answer has 5 s. Nothing makes a key there: make it with its own tools, then
  aip init --domain acme.com --key ssh-agent:me@laptop          as the principal's, pinned here
  aip passport create bot -a deploy --key hashivault://bot      as an agent's
  aip key import --key awskms:///alias/ops --id did:web:acme.com#key-2
  aip passport update bot --rate-limit 5/hour --key ssh-agent:me@desk
The import says where a key is from now on, also for an id that is known already. --key of update, sign, renew and approve asks there
this once.
A program that reaches the agent's socket can have it sign: ssh-add -t gives the key an end, ssh-add -c asks a person.
The program gets one line on stdin, and answers one:
  {"version":1,"op":"public_key"}                     {"public_key":"ed25519:<64 hex>"}
  {"version":1,"op":"sign","message":"<base64>"}      {"signature":"<128 hex, or base64>"}
or {"error":"why"}. What it says on stderr is not shown, and AIP_KEY_PASSPHRASE, AGENT_PRIVATE_KEY and the
like do not reach it. For a PKCS#11 token (tried with SoftHSM):
--key 'cmd:/usr/local/bin/hsm 01', the key's id (pkcs11-tool passes over a label when it signs), HSM_MODULE, HSM_TOKEN and HSM_PIN in the
environment, and this as the program:
  #!/bin/sh
  tool="pkcs11-tool --module $HSM_MODULE --token-label $HSM_TOKEN --id $1"
  read -r ask
  case $ask in
  *'"op":"sign"'*)
    ask=\${ask#*'"message":"'}
    signature=$(printf %s "\${ask%%\\"*}" | base64 -d |
      $tool --login --pin env:HSM_PIN --sign -m EDDSA 2>/dev/null | base64 -w 0)
    case $signature in
    '') printf '{"error":"no signature: token there, HSM_PIN right?"}' ;;
    *) printf '{"signature":"%s"}' "$signature" ;;
    esac ;;
  *)
    key=$($tool --read-object --type pubkey 2>/dev/null |
      openssl pkey -pubin | awk '{printf "%s\\\\n", $0}')
    printf '{"public_key":"%s"}' "$key" ;;
  esac
A manager that hands the key out as text: --key-command 'op read op://ops/bot/key' signs once with what the command prints, in memory;
the same variables do not reach it.

# Passphrases
They come from --passphrase-file, --passphrase-fd, AIP_KEY_PASSPHRASE or the terminal, never from an argument. One that is easily
guessed is warned of, and a strong one is suggested. A key that is imported with another passphrase than the keys here:
--from-passphrase-file, --from-passphrase-fd; at a terminal each is asked by itself.

On macOS any node program of yours can read what was stored in the keychain; on Linux any program of yours can, once the ring is
unlocked. Where that matters use file.

# Without a keychain (containers, CI)
  aip passport create bot --domain acme.com --action deploy --key-store file --passphrase-file /run/secrets/passphrase
  AGENT_PRIVATE_KEY=$(cat /run/secrets/agent) aip intent sign --passport bot.passport.json --action deploy --key-store env

# One rule for every secret
In variables, files, stdin and mounted secrets alike, one byte order mark at the start and one line end at the end are taken off, and
nothing else; quotes that a tool left around it are refused. A file of secrets that others may read is refused, with the chmod that
mends it. In /run/secrets, /var/run/secrets and the folder AIP_SECRETS_DIR, where a container's runtime sets the modes, it is read,
and symbolic links within the mount are followed.

# Keys that you have
  aip key import <file>            PKCS#8, also encrypted (PBKDF2, scrypt), SEC 1, OpenSSH, JWK; text around the block does not matter
  aip key list, show               what is held here, and where
  aip key export <key> --public    for other programs: text, pem, ssh, jwk, multikey, did-key

Public keys are written ed25519:<64 hex>. Wherever one is given, base64url, PEM, an ssh-ed25519 line, a JWK, a Multikey and did:key
are read as well: as text, as a file of any name, or from stdin as -. Another kind of key is named.
A second key of a principal is asked about: principal add --yes adds it beside the first, --replace puts it in its place, and
principal remove <did> --key <key> retires one.
`;
}
