"""Loads a passport folder with the installed aip-protocol package and proves that it holds its private key.

Usage: passport.py <folder>. Prints {agent_id, public_key, allowed_actions, per_transaction, signed} where `signed` is an envelope.
"""

import json
import sys

from aip_protocol import AgentPassport, create_envelope, sign_envelope
from aip_protocol.crypto import public_key_to_b64
from aip_protocol.envelope import envelope_to_json

passport = AgentPassport.load(sys.argv[1])
envelope = create_envelope(passport, passport.boundaries.allowed_actions[0], parameters={"amount": 1})
print(
    json.dumps(
        {
            "agent_id": passport.agent_id,
            "public_key": public_key_to_b64(passport.public_key),
            "allowed_actions": passport.boundaries.allowed_actions,
            "per_transaction": passport.boundaries.monetary_limit.per_transaction,
            "signed": envelope_to_json(sign_envelope(envelope, passport.private_key)),
        }
    )
)
