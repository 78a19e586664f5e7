export function text(): string {
  return `# Attacking a passport of your own
  aip redteam -p bot.passport.json
  aip redteam -p bot.passport.json --runs 10000 --seed 7 --format junit > redteam.xml
Attacks are made from the passport's limits and from the schemas of its actions, one thing wrong in each: at and one minor unit past a limit,
split payments, other currencies, exponents and other digits, names in other letters and nested, userinfo, homographs and IP addresses,
lists, params left out, invented or of another type, members that stand twice, replays, other clocks, forged and cut signatures, passports
that are widened, older or signed by the agent, an agent that was stopped. Approvals that nobody gave, that too few gave, one person twice, the
agent, the principal where approvers are named, or strangers; of something else, for another request or verifier; denied, over, or used before.
They go through the real verifier on a state in memory. Throwaway keys stand in for those of agent, principal and approvers; no hook,
network, bell or key store is asked. What must be refused is worked out a second time, by an oracle that shares no code with the verifier: an
attack that it finds nothing wrong with is not counted (harmless).

# The report
A line for each constraint and each step of the verifier: how many attacks, which codes stopped them, what got through. Exit 15 when
anything did. The same seed gives the same bytes.
What gets through a sound verifier is what the passport leaves open: an action without a schema, one whose schema takes params that it does
not declare, or does not make the limited param mandatory. A limit does not apply to what it cannot read. The line that closes it is the
action as the passport would declare it, with the params that its limits read: leave out those that the action does not have, and add its others:
  aip passport update bot --param issue_refund:amount:number
and the case goes into the cases of aip policy test.
An action of which no honest intent passes is named in a warning and not attacked: attacks on it would show nothing.
`;
}
