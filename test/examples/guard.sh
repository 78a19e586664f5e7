# aip serve --as support-agent-v1 --socket PATH
body="{\"agent_id\":\"$2\",\"action\":\"issue_refund\",\"params\":{\"amount\":$3}}"
decision=$(curl -fsS --unix-socket "$1" -d "$body" http://localhost/v1/guard) || exit 1
case $decision in
  '{"success":true,'*) echo refunded ;;
  *) echo "$decision" >&2; exit 1 ;;
esac
