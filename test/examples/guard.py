import http.client, json, socket, sys

class Service(http.client.HTTPConnection):  # aip serve --as support-agent-v1 --socket PATH
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(self.host)

def guard(path, agent, action, **params):
    service = Service(path)
    service.request("POST", "/v1/guard", json.dumps({"agent_id": agent, "action": action, "params": params}))
    answer = service.getresponse()
    decision = json.load(answer)
    if answer.status != 200 or decision["success"] is not True:
        raise PermissionError(decision.get("error_code") or decision["message"])

guard(sys.argv[1], sys.argv[2], "issue_refund", amount=int(sys.argv[3])); print("refunded")
