"""Stands in for the reference's mesh client, which the package on the index does not have: what it sends and how it reads.

Usage: mesh.py <url> <events to wait for>, the API key in AIP_MESH_KEY. Prints one JSON object a line: {"live": true} when the stream is
open, {"answers": {...}} after its own commands, and {"events": [...]} at the end.
"""

import json
import os
import sys
import threading
import urllib.error
import urllib.request

url, expected = sys.argv[1], int(sys.argv[2])
HEADERS = {"Authorization": f"Bearer {os.environ['AIP_MESH_KEY']}", "Content-Type": "application/json"}
AGENT = "did:web:acme.com:agents:procurement-bot"
events = []
done = threading.Event()


def say(value: dict) -> None:
    print(json.dumps(value), flush=True)


def ask(method: str, path: str, body: dict = None, headers: dict = HEADERS) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return {"http": response.status, **json.load(response)}
    except urllib.error.HTTPError as error:
        return {"http": error.code}


def listen(live: threading.Event) -> None:
    request = urllib.request.Request(url + "/mesh/events", headers={**HEADERS, "Accept": "text/event-stream"})
    # As the reference does: 60 s without a byte end the stream, and lines are split by the client.
    with urllib.request.urlopen(request, timeout=60) as response:
        live.set()
        for line in response:
            text = line.decode().rstrip("\r\n")
            if text.startswith("data: "):
                events.append(json.loads(text[len("data: ") :]))
                if len(events) >= expected:
                    done.set()
                    return


live = threading.Event()
threading.Thread(target=listen, args=(live,), daemon=True).start()
if not live.wait(10):
    sys.exit("the stream did not open")
say({"live": True})
OTHER = "did:web:acme.com:agents:other"
say(
    {
        "answers": {
            "register": ask("POST", "/mesh/agents/register", {"agent_id": AGENT}),
            "before": ask("POST", "/mesh/status", {"agent_id": AGENT}),
            "revoke": ask("POST", "/mesh/revoke", {"agent_id": AGENT, "reason": "key leaked 🔥", "scope": "full"}),
            "revoked": ask("POST", "/mesh/status", {"agent_id": AGENT}),
            "suspend": ask("POST", "/mesh/suspend", {"agent_id": OTHER, "duration_seconds": 600, "reason": "odd"}),
            "suspended": ask("POST", "/mesh/status", {"agent_id": OTHER}),
            "reinstate": ask("POST", "/mesh/reinstate", {"agent_id": OTHER}),
            "reinstated": ask("POST", "/mesh/status", {"agent_id": OTHER}),
            "usage": ask("GET", "/mesh/usage"),
            "without a key": ask("GET", "/mesh/usage", headers={}),
            "with another key": ask("GET", "/mesh/usage", headers={"Authorization": "Bearer aipm_wrong"}),
            "without an agent": ask("POST", "/mesh/revoke", {"reason": "nobody"}),
        }
    }
)
if not done.wait(30):
    sys.exit(f"only these events came: {json.dumps(events)}")
say({"events": events})
