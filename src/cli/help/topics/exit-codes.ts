export function text(): string {
  return `# Exit codes

  0     done; verified; already in that state
  1     a bug in aip
  2     wrong use: flags, arguments, config, or an answer needed that may not be asked
  3     a named passport, key or file does not exist or cannot be read
  4     key store: missing, locked, timed out, wrong passphrase, permission
  5     network: mesh unreachable, refused, or propagation not confirmed in time
  10    refused: who (AIP-E1xx)
  11    refused: when (AIP-E3xx)
  12    refused: what (AIP-E2xx other than E209)
  13    refused: standing (AIP-E4xx)
  14    refused: approval needed (AIP-E209), or a hook refused
  15    a threshold was not met (health, trust, drill), or the log chain is broken
  130   interrupted (Ctrl-C)
  143   terminated

With several intents the exit code is that of the first refusal in input order. Nothing to verify is 2, never 0.
Closing the pipe early (... | head) ends a stream with 0; a decision already made keeps its exit code.

  aip intent verify intent.json || case $? in
    10|11|12|13) echo "refused" ;;
    14) echo "needs an approval" ;;
    *) echo "could not decide: treat as refused" ;;
  esac
`;
}
