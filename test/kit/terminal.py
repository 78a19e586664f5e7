"""Runs a program on a terminal of its own and plays a person: waits for a text, types an answer.

Reads {"argv", "env", "cwd", "steps": [{"expect", "send"}], "timeout"} on stdin; prints {"output", "code", "missed"}.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

request = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(request["cwd"])
    os.execvpe(request["argv"][0], request["argv"], request["env"])

fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
output = b""
seen = 0
steps = list(request["steps"])
deadline = time.monotonic() + request["timeout"]
while time.monotonic() < deadline:
    if steps and steps[0]["expect"].encode() in output[seen:]:
        step = steps.pop(0)
        seen = len(output)
        # The prompt is drawn a moment before it listens.
        time.sleep(0.15)
        os.write(terminal, step["send"].encode())
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if not ready:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # EIO: the program has closed the terminal
        break
    if not chunk:
        break
    output += chunk
else:
    os.kill(pid, signal.SIGKILL)

_, status = os.waitpid(pid, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"output": output.decode("utf-8", "replace"), "code": code, "missed": [step["expect"] for step in steps]}))
