"""Verifies with the installed aip-protocol package what was signed elsewhere.

Reads {public_key, hmac_key, cases: [{name, envelope, hmac}]} from stdin and prints {name: [error codes]} (empty when valid).
"""

import json
import sys

from aip_protocol import RevocationStore, verify_intent
from aip_protocol.crypto import b64_to_public_key
from aip_protocol.envelope import envelope_from_json

task = json.load(sys.stdin)
key = b64_to_public_key(task["public_key"])
answers = {}
for case in task["cases"]:
    envelope = envelope_from_json(case["envelope"])
    result = verify_intent(
        envelope,
        key,
        revocation_store=RevocationStore(),
        hmac_key=bytes.fromhex(task["hmac_key"]) if case.get("hmac") else None,
    )
    answers[case["name"]] = [] if result.valid else [error.value for error in result.errors] or [result.detail]
print(json.dumps(answers))
