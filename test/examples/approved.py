import http.client, json, socket, sys

class Service(http.client.HTTPConnection):  # aip serve --as support-agent-v1 --socket PATH
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(self.host)

path, agent, amount, request = sys.argv[1:5]  # request: the id that a person has approved, or -
service = Service(path)
asked = {"agent_id": agent, "action": "issue_refund", "params": {"amount": int(amount)}}
service.request("POST", "/v1/guard", json.dumps(asked if request == "-" else {**asked, "approval_request": request}))
decision = json.load(service.getresponse())
if decision.get("success") is not True:
    sys.exit(decision["error_code"] + " " + str((decision["details"] or {}).get("request_id")))
print("refunded")
