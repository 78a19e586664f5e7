"""Loads a passport folder with the installed aip-protocol package and proves that it holds its private key.

Usage: passport.py <folder>. Prints {agent_id, public_key, allowed_actions, per_transaction, loaded_by, signed}; `signed` is an envelope.
Versions that cannot open an encrypted private.pem leave that to the library they use themselves.
"""

import json
import os
import sys
from pathlib import Path

from aip_protocol import AgentPassport, create_envelope, sign_envelope
from aip_protocol.crypto import public_key_to_b64
from aip_protocol.envelope import envelope_to_json
from cryptography.hazmat.primitives.serialization import load_pem_private_key

folder = Path(sys.argv[1])
try:
    passport = AgentPassport.load(folder)
    loaded_by = "aip-protocol"
except TypeError:
    key = load_pem_private_key((folder / "private.pem").read_bytes(), os.environ["AIP_KEY_PASSPHRASE"].encode())
    (folder / "private.pem").rename(folder / "private.pem.encrypted")
    passport = AgentPassport.load(folder)
    passport._private_key = key
    loaded_by = "cryptography"
envelope = create_envelope(passport, passport.boundaries.allowed_actions[0], parameters={"amount": 1})
print(
    json.dumps(
        {
            "agent_id": passport.agent_id,
            "public_key": public_key_to_b64(passport.public_key),
            "allowed_actions": passport.boundaries.allowed_actions,
            "per_transaction": passport.boundaries.monetary_limit.per_transaction,
            "loaded_by": loaded_by,
            "signed": envelope_to_json(sign_envelope(envelope, passport.private_key)),
        }
    )
)
