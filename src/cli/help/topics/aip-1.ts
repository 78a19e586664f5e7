export function text(): string {
  return `# AIP-1: agents of the Python package aip-protocol

What these agents sign is verified here, and what is signed here their verifiers accept. The dialect is read from the document's shape; a decision says
which it was ("dialect": "aip-1"), and its codes are those of RFC-001: aip explain AIP-E202 tells both apart.
What RFC-001 has no word for has numbers that it leaves free (E205 to E209, E211, E215, E216); aip explain marks them.

# Whose word counts

An envelope carries its own boundaries, signed by the agent itself, so an agent can allow itself anything.

  a known passport    aip passport import <folder>, or --passport: its limits hold as well, and only its keys count
  a mandate           --mandate F [--issuer-key K]: what a principal allows; --require-mandate refuses envelopes without one
  only a public key   --public-key K: the envelope's own boundaries are used, with the warning self_declared_boundaries

An intent has to lie within all that is known: the boundaries of envelope, mandate and passport. A mandate counts when it is signed with
--issuer-key, or by the pinned principal of the agent's domain.

# Tiers

  tier_0    signature, or HMAC-SHA256 with --hmac-key <agent id>=F (64 or more hex digits, or the raw bytes); --hmac-key-file F speaks for every agent, and the decision warns: shared_key
  tier_1    and the attestation agrees with --registry
  tier_2    and intent drift, delegation, and the score of RFC-001 where verify.min_trust is set

The agent chooses its tier, so what this verifier asks of everyone it asks at every tier: verify.min_trust, hooks, the country, limits.
An envelope ends at its expires_at, its ttl after the issue, or verify.max_age (--max-age) after it where one is set, whichever is first.
An HMAC counts for no agent whose passport, mandate or own key is known. verify.dialects: ["native"] accepts no envelopes at all.

  --min-tier 2    judges lower tiers at tier 2; a higher tier is never lowered
  --registry F    {"frameworks": ["did:..."], "builds": {"did:...": "<hash>"}, "prompts": {"<agent>": "<hash>"}}

# Exit codes go by meaning, not by digits

  10  E100 E103 E104 E300 E301 E302
  11  E101 E102 E105
  12  E200 to E204 E303
  13  E400 to E408 E501

# What the package is less strict about

An envelope without expires_at ends after 300 s, none is in force for more than a day, and none may be dated more than 30 s ahead (E101).
The nonce has to be hex (E105). Everything has the form that the package itself writes: times end in Z, numbers are numbers, and context,
types and purpose are those of RFC-001; other forms that the package can read (an offset, Unix seconds, "500") are refused (E103). What is
left out has the package's default, but not what it would make up: id, entropy, issued_at, granted_at, created (E103). An amount in text is
money, too, and one that is no decimal is refused (E103). Unknown members are refused (E103): the package leaves them out of the signed bytes. A revoked principal
stops its agents at every tier, also one that claims another principal (E402). A day's sum counts accepted envelopes of all processes. An
amount in another currency than the cap's is refused (E202), and so is one that names none where two bounds cap it in different ones. An
agent that claims a framework has to name one that --registry holds, with its build, and one whose prompt it holds has to name that (E300 to
E302); as in the package, one that claims none (self_reported) is asked for its prompt alone. What is no JSON at all is E100 of the native
dialect, because it has no shape.

An envelope is remembered for as long as it is in force. With --at, one that is over and whose nonce may be forgotten is refused (E101),
because it could be a replay; --dry-run still judges it.
`;
}
