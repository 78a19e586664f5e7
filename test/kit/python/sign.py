"""Signs envelopes with the installed aip-protocol package and prints them as JSON: {cases: [{name, envelope, ...}]}.

Usage: sign.py <folder for passport>
"""

import json
import random
import struct
import sys
from pathlib import Path

from aip_protocol import AgentPassport, VerificationTier, create_envelope, generate_hmac_key, hmac_sign, sign_envelope
from aip_protocol.crypto import public_key_to_b64
from aip_protocol.envelope import _get_signable_payload, envelope_to_json
from aip_protocol.models import Proof

TEXTS = {
    "ascii": "plain text",
    "accented": "Zürich, São Paulo, naïve café",
    "emoji": "paid 🎉 by 👩‍👩‍👧 in 日本",
    "control": "tab\tline\nquote\" slash/ back\\ del\x7f nul\x00",
    "separators": "\u2028 \u2029 \ufeff \uffff",
}
AMOUNTS = {
    "whole": 45,
    "whole float": 45.0,
    "fraction": 45.55,
    "tenth": 0.1,
    "sum with noise": 0.1 + 0.2,
    "zero": 0.0,
    "minus zero": -0.0,
    "negative": -50.25,
}
OTHERS = {
    "nulls": {"note": None, "list": [None, {"inner": None}]},
    "small numbers": {"a": 1e-7, "b": 1.5e-07, "c": 1e-5, "d": 0.0001, "e": 5e-324, "f": 1.2345e-10},
    "large numbers": {"a": 1e16, "b": 1e22, "c": 1e300, "d": 1.5e300, "e": 123456789012345680.0},
    "large integers": {"id": 1234567890123456789, "edge": 2**53 + 1, "minus": -(2**63), "huge": 10**300},
    "key order": {"b": 1, "a": 2, "B": 3, "é": 4, "\ue000": 5, "😀": 6, "10": 7, "9": 8, "": 9},
    "nesting": {"l": [[[[{"x": [1, 2.50, True, False]}]]]]},
    "python words": {"__proto__": 1, "constructor": {"prototype": 2}},
}


def doubles(count: int) -> list:
    """Doubles of every size, the same every time."""
    source = random.Random(1)
    found = []
    while len(found) < count:
        value = struct.unpack(">d", source.randbytes(8))[0]
        if value - value == 0 and abs(value) < 1e300:
            found.append(value)
    return found + [source.uniform(-1e6, 1e6) for _ in range(count)] + [source.random() for _ in range(count)]


def main(folder: Path) -> None:
    passport = AgentPassport.create(
        domain="acme.com",
        agent_name="procurement-bot",
        allowed_actions=["transfer_funds", "read_invoice", "überweisen"],
        denied_actions=["delete_records"],
        monetary_limit_per_txn=500.5,
        monetary_limit_per_day=5000,
        framework_id="did:web:langchain.com",
    )
    passport.save(folder)
    key = public_key_to_b64(passport.public_key)
    hmac_key = generate_hmac_key()
    cases = []

    def add(name: str, action: str = "transfer_funds", tier=VerificationTier.TIER_1, parameters=None, **options) -> None:
        envelope = create_envelope(passport, action, parameters=parameters or {}, tier=tier, **options)
        if name.startswith("hmac"):
            mac = hmac_sign(hmac_key, _get_signable_payload(envelope))
            signed = envelope.model_copy(update={"proof": Proof(proof_value=mac)})
        else:
            signed = sign_envelope(envelope, passport.private_key)
        cases.append(
            {
                "name": name,
                "envelope": envelope_to_json(signed, pretty=len(cases) % 2 == 0),
                "signed": _get_signable_payload(signed).decode(),
            }
        )

    for name, text in TEXTS.items():
        add(f"text {name}", target=text, parameters={"memo": text, text: 1})
    for name, amount in AMOUNTS.items():
        add(f"amount {name}", parameters={"amount": amount, "currency": "USD"})
    for name, parameters in OTHERS.items():
        add(name, parameters=parameters)
    add("many doubles", parameters={"list": doubles(100)})
    for tier in VerificationTier:
        add(f"{tier.value}", tier=tier, parameters={"amount": 1})
    add("chosen tier", tier=None, parameters={"amount": 400.0})
    add("accented action", action="überweisen")
    add("longest ttl", ttl=86400)
    add("hmac", tier=VerificationTier.TIER_0, parameters={"amount": 1.5})
    print(json.dumps({"public_key": key, "hmac_key": hmac_key.hex(), "agent_id": passport.agent_id, "cases": cases}))


main(Path(sys.argv[1]))
