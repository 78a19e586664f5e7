"""Mandates with the installed aip-protocol package, where it has them.

Reads {issuer_key, subject, mandate} from stdin. Prints {available: false}, or {available: true, codes, issued, issuer_key}: what the
package says of the given mandate, and a mandate of its own.
"""

import json
import sys

try:
    from aip_protocol.mandate import Mandate, issue_mandate, verify_mandate
except ImportError:
    print(json.dumps({"available": False}))
    sys.exit(0)

from aip_protocol import Boundaries, generate_keypair
from aip_protocol.crypto import b64_to_public_key, public_key_to_b64

task = json.load(sys.stdin)
given = Mandate.model_validate(json.loads(task["mandate"]))
codes = [code.value for code in verify_mandate(given, b64_to_public_key(task["issuer_key"]), task["subject"])]
private, public = generate_keypair()
issued = issue_mandate("did:web:acme.com", task["subject"], Boundaries(allowed_actions=["überweisen"]), private)
print(
    json.dumps(
        {
            "available": True,
            "codes": codes,
            "issued": issued.model_dump_json(by_alias=True),
            "issuer_key": public_key_to_b64(public),
        }
    )
)
