"""An agent that allows itself more than its passport does, with the installed aip-protocol package.

Usage: widen.py <folder>. Prints {envelope, public_key}.
"""

import json
import sys
from pathlib import Path

from aip_protocol import AgentPassport, create_envelope, sign_envelope
from aip_protocol.crypto import public_key_to_b64
from aip_protocol.envelope import envelope_to_json

passport = AgentPassport.load(Path(sys.argv[1]))
passport.boundaries.monetary_limit.per_transaction = 1_000_000
envelope = create_envelope(passport, passport.boundaries.allowed_actions[-1], parameters={"amount": 900_000})
print(
    json.dumps(
        {
            "envelope": envelope_to_json(sign_envelope(envelope, passport.private_key)),
            "public_key": public_key_to_b64(passport.public_key),
        }
    )
)
