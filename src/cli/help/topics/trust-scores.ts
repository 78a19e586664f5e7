import { KEYS } from '../../config/keys.js';

export function text(): string {
  const most = String(KEYS['monitor.max_revocations_per_hour'].fallback);
  return `# Health, trust, and the monitor

# Health
  aip health support-agent-v1                 totals, rates, warnings, the newest failures
  aip health --fail-on critical               exit 15, for CI
  aip health --html health.html               charts, in one page without network
It warns over 10 % failures, under 0.7 trust, and on patterns (trust.suspicious_patterns); under 0.5 it is critical. Rates are of what the agent
can be held to: refusals that may be a stranger's doing are counted apart (aip help logs).

# Trust
The guide's model: starts at 0.5, +0.01 an accepted intent, -0.05 a refusal the agent answers for, -0.001 an idle hour, between 0 and 1. Before 10
verifications the score means nothing. All numbers are config keys (trust.*); trust.model aip-1 is RFC-001's weighted model.
  aip trust support-agent-v1 --explain        every event that moved it, computed anew from the log
  verify.min_trust: 0.4                       in config: refuse an agent under it (AIP-E404), which does not lower it further

# The monitor
  aip monitor                                 checks every 5 s until stopped; a line an event, JSON when piped
  aip monitor --once                          one check, for cron: exit 15 when an alert is open
It alerts
  low_trust           a score that means something is under monitor.min_trust (0.7); critical under monitor.revoke_under (0.5)
  high_failure_rate   more than monitor.max_failure_rate (10 %) refused within monitor.window (24h)
  rapid_failures, unusual_actions
                      a pattern was completed within the last 5 minutes
  revoked, suspended  an agent known here, its principal, or everyone
  not_revoked         it should be stopped and is not; a person must look
An alert is raised when its state begins or changes how bad it is, and resolved when it ends. What was told is kept in the state file: a monitor that is
started again tells nothing twice, and at a terminal shows first what is open still.

# Revoking without a person
monitor.auto_revoke: true lets it revoke what is under monitor.revoke_under, through the mesh where there is one. At most
monitor.max_revocations_per_hour (${most}) go without a person, over restarts and all monitors on this state: when everything looks bad, the fault may be
elsewhere. An agent that a person has reinstated is not revoked again until its score has been back and fallen anew. Unattributed refusals
never count.

# Who is told
  monitor.slack_url      Slack's incoming webhook. The URL is the secret: the user's config or AIP_MONITOR_SLACK_URL, no flag
  AIP_PAGERDUTY_KEY      integration key of Events API v2, environment only; monitor.pagerduty_url for the EU:
                         https://events.eu.pagerduty.com/v2/enqueue
  monitor.webhook_url    (--webhook) the event as JSON, signed with AIP_WEBHOOK_SECRET, environment only
https only, but for this machine itself; no redirect is followed. 408, 425, 429, 5xx and a lost connection are tried 4 times with growing random pauses
or as Retry-After says, then again after later checks: up to 1000 alerts wait for a target that is down. Any other answer is final.
An alert may arrive twice: PagerDuty has its key as dedup_key, a webhook the id of the event as webhook-id.

A webhook is signed as Standard Webhooks 1.0 says. webhook-signature is v1, and base64 of HMAC-SHA256 over
  <webhook-id>.<webhook-timestamp>.<body>
under the bytes after whsec_ (base64), or the text itself when it has no such prefix. Refuse timestamps older than 5 minutes.
`;
}
