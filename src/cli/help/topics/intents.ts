export function text(): string {
  return `# Intents

An intent is one thing an agent wants to do, signed by the agent just before it does it.

  agent_id    who
  action      what, one of the passport's actions
  params      with what; a JSON object
  timestamp   when, Unix seconds
  nonce       32 to 128 random hex digits: this intent counts once
  signature   Ed25519 (RFC 8032) over the RFC 8785 bytes of all the rest, 128 hex digits
  target, key_id, approval_request are optional; nothing else is allowed

# Signing
  aip intent sign --passport bot --action issue_refund --param order_id=8472 --param amount:=50
  echo '{"action":"issue_refund","params":{"amount":50}}' | aip intent sign - --passport bot
--param k=text is a string; --param k:=json is a number, list, object, true, false or null. --params takes a whole object, or @file.
Signing warns on stderr when a verifier would refuse, naming the code; --check makes that an error.

# Verifying
  aip intent verify intent.json          exit 0, or 10 to 14 by what is wrong: aip help exit-codes
  aip intent verify - --ndjson           a line in, a decision out, for streams of any length
  aip intent inspect intent.json         shows what it says, believes none of it
What is checked, in which order: aip help verification.

# Approving
A passport or a hook may want a person's word (E209): aip help approvals.

Documents are strict: UTF-8 without BOM, at most 64 KiB, nesting at most 32, no duplicate or unknown members. Both dialects are read
by their shape: the flat one above, and the AIP-1 envelope of the Python package aip-protocol (--dialect aip-1 when signing).
`;
}
