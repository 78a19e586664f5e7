"""Verifications a second of the installed aip-protocol package, one thread, from JSON text to answer.

Usage: rate.py <seconds>. Reads {public_key, envelope} from stdin and prints {rate, valid}.
"""

import json
import sys
import time

from aip_protocol import RevocationStore, verify_intent
from aip_protocol.crypto import b64_to_public_key
from aip_protocol.envelope import envelope_from_json

task = json.load(sys.stdin)
key = b64_to_public_key(task["public_key"])
text = task["envelope"]
store = RevocationStore()


def once() -> bool:
    # Each verification sees the same nonce.
    store.clear_nonces()
    return verify_intent(envelope_from_json(text), key, revocation_store=store).valid


valid = all(once() for _ in range(200))
seconds = float(sys.argv[1])
count = 0
start = time.perf_counter()
while time.perf_counter() - start < seconds:
    for _ in range(50):
        once()
    count += 50
print(json.dumps({"rate": count / (time.perf_counter() - start), "valid": valid}))
