export function text(): string {
  return `# Before a passport changes

  aip passport update bot --monetary-limit 50 --draft next.json
                                              the next serial, unsigned; nothing changes yet
  aip passport update bot --from next.json    signs what the draft says, once it was tried
A draft or a passport after --from says all that the agent may do: its actions, denied actions, constraints and metadata take the place of
what was there. The rest stays, and what of it differs is named.

# Cases: what must be accepted, and what refused
  aip policy test policy/                     every *.json in it, through the real verifier
  aip policy test cases.json -p bot.passport.json --coverage
A case is {name, passport?, now?, history?, intent, approved_by?, expect: "accept" | "AIP-E...", details?}; a file holds one or a list, and its
paths are relative to it. What is not signed is signed by throwaway keys that stand in for those of agent, principal and approvers, on a state of
its own that is thrown away. An intent may be an AIP-1 envelope; of one without a proof {"@type": "IntentEnvelope", "intent": {...}} is enough.
approved_by lists the ids of those who approve, where a person is asked: the passport's approvers, or its principal; the word of anybody else does
not count. --coverage names the actions and constraints that have not seen both a yes and a no.

# Diff: what became wider, and what narrower
  aip policy diff bot.passport.json next.passport.json
A line for each difference, with an intent that one of them accepts and the other refuses. Each difference is tried alone, so that another one
does not hide it; keys, serials, times of issue and metadata allow nothing and are no difference. Who may approve and how many have to
(require_approval.approvers, .count) are lines of their own, with the persons whose word was enough and is not, or is now. What no intent was
found for is shown as changed.

# Replay: yesterday under the new passport
  aip policy replay --passport next.passport.json --since 7d
Every recorded verification of the agent is judged anew, in the order of the log: refused -> accepted, accepted -> refused, unchanged, and not
decidable, each with counts, money and codes. The passport may be a draft; who signed it is not asked.
Signature, nonce, freshness and standing are taken as they were found. Windows and sums begin with what was accepted in the 24 h before, and go
on with what the new passport accepts. Nothing is written, sent or counted.
Not decidable is what the log does not show, and no guess is made of it:
  params_masked, params_dropped, params_erased   a limit could have read a value that the log does not hold
  window     a sum or a rate hangs on an entry of which that is true
  hook       a hook would have been asked, or refused it then
  approval   a person had approved it under the old passport
  geo        the country of the request is not in the log
  sender     it was refused before its signature was looked at
  envelope   an AIP-1 envelope that its own boundaries may have refused
A masked text decides where the schema of its time says that it is a text, and no limit reads its name; log.params: full leaves nothing open.

# Suggest: what the agent really needs
  aip policy suggest -p bot --since 30d --draft narrowest.json
Drafts the narrowest passport under which all that was accepted in that time would be accepted again; a person reads it before it is signed. Left
out are actions that were never accepted. An action without a schema gets a closed one with the params and types that were seen; monetary_limit
and daily_limit become the most that was needed, up to two leading digits; rates the most that was accepted in their window; allowed_domains the
destinations that were used. All else stays, and why is said.
What was refused is counted and teaches nothing, and nothing becomes wider than in the passport that is given: an agent that was tricked widens
nothing. What a limit could have read and the log does not show leaves that limit as it is. The draft is replayed over the same log before it is
shown; whatever would refuse an accepted entry goes back to what it was. The log of this machine alone is read: where several verify, each knows
its part.
`;
}
