export function text(): string {
  return `# Keys

Two kinds of private key: the agent's signs intents; its principal's signs passports. Keep them on different machines where you can.
Neither ever enters a passport, a log, an error, an argument list or an unencrypted file, but for env, below.

# Where they live (--key-store, or key_store in the config)
  keychain   the system's own: Keychain on macOS, Credential Manager on Windows, Secret Service on Linux. The default.
  file       PKCS#8 PEM, encrypted with a passphrase, mode 0600; openssl pkey -in <file> reads it
  env        AGENT_PRIVATE_KEY=ed25519:<64 hex>, or a line of --env-file <file> (-e). Plain text by nature: mode 0600, refused when git tracks the file, ignored by git afterwards. For agents only; a principal's key never goes there.

There is no silent fallback: without a usable keychain the command ends with exit 4 and names the choices; missing, locked, hanging
and lacking the item are four different messages, each within 5 s. A read that failed never makes a new key.
List, show and verify need no private key and never touch the key store.

# Passphrases
They come from AIP_KEY_PASSPHRASE, --passphrase-file or the terminal, never from an argument.

On macOS any node program of yours can read what was stored in the keychain; on Linux any program of yours can, once the ring is
unlocked. Where that matters use file.

# Without a keychain (containers, CI)
  aip passport create bot --domain acme.com --action deploy --key-store file --passphrase-file /run/secrets/passphrase
  AGENT_PRIVATE_KEY=$(cat /run/secrets/agent) aip intent sign --passport bot.passport.json --action deploy

Public keys are written ed25519:<64 hex>; base64url of the 32 bytes is read as well.
`;
}
