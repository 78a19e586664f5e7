import {
  NOT_THESE_WORDS,
  MONEY_WORDS,
  NO_MONEY_WORDS,
  STRONG_DESTINATIONS,
  WEAK_DESTINATIONS,
} from '../../../protocol/naming/vocabulary.js';

export function text(): string {
  return `# Constraints

  monetary_limit           E202  100, "99.95" or {limit, currency, param}: the most money in one action
  daily_limit              E212  the same, for the accepted amounts of the last 24 hours, by agent and currency; with release: true the caller of a call that failed before it acted gives its place back (aip help logs)
  currency                 E202  ISO 4217; params.currency must equal it
  allowed_domains          E203  ["acme.com", "*.acme.com"]; *. means subdomains only
  rate_limit               E205  "10/hour" (second, minute, hour, day), or {"send_email": "5/day"}
  max_<things>_per_<unit>  E205  max_orders_per_hour counts the actions that hold the word order
  allowed_<things>         E206  list (allowed_symbols: E204); params <thing> and <things>, each value exactly one of it
  denied_<things>          E206  list; none of it, in any spelling, as number or as text, alone or in a text of several ("root, bob")
  max_<name>, min_<name>   E207  5, or {value, param}: numbers under names that end in <name>
  require_<name>           E208  true: param <name> is present, and not null, false or empty
  require_approval         E209  true, or {actions, environments, above, approvers, count, ttl}: a person approves exactly this action (aip help approvals)
  time_window              E213  {start, end}, or {"days": ["mon", "fri"], "from": "09:00", "to": "17:00", "tz": "Europe/Paris"}
  geo_restriction          E214  country codes, compared with --geo; without --geo the intent is refused
  x-<anything>                   a note, not a limit

  aip passport create bot --domain acme.com --action issue_refund --monetary-limit 100 --daily-limit 500 --rate-limit 10/hour --constraint 'allowed_regions:=["eu","us"]'

Every constraint may be written {"value": ..., "params": [...], "actions": [...]}: which params it reads, and nothing else, for which
actions. Money also takes {"limit": ..., "currency": ..., "param": ...}. A name with dots is the end of a path as well: order.total.

# Names
One matcher reads names for the whole table: case, snake_case, camelCase, kebab-case, full-width letters, singular and plural make no
difference, at any depth and in lists. allowed_<things>, max_<name> and require_<name> match a name that ends in these words:
max_instances reads Instances, config.instances and target_instances, not instances_count. environment, env and stage are one name;
max_instances also reads desired_count and replicas. An invisible character in a name, or in a value that a constraint reads, is E211.
A word of five letters or more is also found at either end of a name without separators (REFUNDAMOUNT), except in:

${columns([...NOT_THESE_WORDS])}

# Money
amount and amount_minor, and every number, or text that is one in any usual spelling ("$1,000.00", "1.000,00", "1e3"), under a name
that holds one of: ${MONEY_WORDS.join(' ')}; as minor units where the name also holds minor, cents or pence.
Names that end in digits or in one of these hold none:

${columns(NO_MONEY_WORDS)}

A list counts by its parts and its sum, a price also times the quantity beside it, a text with two readings as the larger. What was
found by such a word has "guessed": true in its details and lowers no trust. Another currency is E202, also where the text of an amount
("50 KWD", "€50"), its name (amount_eur) or ccy, currency_code and their like beside it say it; where currency names params,
those are read in the place of such names. Money is exact decimal arithmetic in the currency's minor units; an amount that is finer than the
currency, negative, or not a finite decimal is refused (E211).

# Destinations
Names that hold one of: ${STRONG_DESTINATIONS.join(' ')};
where the value reads as an address, URL or host with a dot also: ${WEAK_DESTINATIONS.join(' ')};
and under any name, and as target, a text that as a whole is a URL or an address. to, cc, bcc, recipient, email, url, uri, endpoint, host,
domain and webhook, alone, refuse what cannot be read. An IP address, userinfo in a URL and an address that begins with - are refused.
A text that merely mentions a URL is none. aip passport lint names the params that it takes for destinations.

# Unmeasured
Where an action has no schema, a limit on money, destinations or values that finds nothing to measure is in the decision's warnings
(unmeasured); verify.unmeasured: deny in the config refuses it (E208). require_<name> is for actions whose schema declares the param,
and without a schema for all but those that begin with cancel, list, get or read; counts leave out actions that begin with cancel.

# How they are read
Rates and daily limits count all that was accepted in their window, also before the passport set them. A time window whose "to" is
before its "from" ends on the next day; its days are those on which it begins.

A constraint this version does not know makes the passport invalid (E103): a limit that is not understood cannot be kept.

A constraint whose param an intent does not carry does not apply to it. To make params mandatory and to refuse invented ones, give
the action a schema: --param issue_refund:amount:number (a type with ! behind it may be left out), or a JSON Schema 2020-12 in the file
for --from. A schema with an unknown keyword, or with "format", which nobody would check, is refused.

  "actions": [{"name": "issue_refund",
               "params": {"type": "object", "required": ["amount"],
                          "additionalProperties": false,
                          "properties": {"amount": {"type": "number"}}}}]
`;
}

/** A list in lines of a terminal's width. */
function columns(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 76) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
