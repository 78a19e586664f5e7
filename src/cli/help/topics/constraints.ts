export function text(): string {
  return `# Constraints

  monetary_limit           E202  100, "99.95" or {limit, currency, param}: the most in param amount (or amount_minor)
  daily_limit              E212  the same, for the accepted amounts of the last 24 hours, by agent and currency
  currency                 E202  ISO 4217; params.currency must equal it
  allowed_domains          E203  ["acme.com", "*.acme.com"]; *. means subdomains only
  rate_limit               E205  "10/hour" (second, minute, hour, day), or {"send_email": "5/day"}
  max_<things>_per_<unit>  E205  max_orders_per_hour counts the actions that hold the word order
  allowed_<things>         E206  list (allowed_symbols: E204); params <thing> and <things>, each value exactly one of it
  denied_<things>          E206  list; none of it
  max_<name>, min_<name>   E207  5, or {value, param}: numeric param <name>
  require_<name>           E208  true: param <name> is present, and not null, false or empty
  require_approval         E209  true, or any of {actions, environments, above}, each enough: a person signs exactly this intent (aip approve)
  time_window              E213  {start, end}, or {"days": ["mon", "fri"], "from": "09:00", "to": "17:00", "tz": "Europe/Paris"}
  geo_restriction          E214  country codes, compared with --geo; without --geo the intent is refused
  x-<anything>                   a note, not a limit

  aip passport create bot --domain acme.com --action issue_refund --monetary-limit 100 --daily-limit 500 --rate-limit 10/hour --constraint 'allowed_regions:=["eu","us"]'

# How they are read
Money is exact decimal arithmetic in the currency's minor units; an amount that is finer than the currency, negative, or not a
finite decimal is refused (E211). Domains are looked for in to, cc, bcc, recipient, recipients, email, url, uri, endpoint, host,
domain and webhook, in lists, nested objects and comma lists. What does not parse as an address, URL (http, https, ws, wss, mailto)
or host is refused, not skipped, and so is an IP address.

Rates and daily limits count all that was accepted in their window, also before the passport set them. A time window whose "to" is
before its "from" ends on the next day; its days are those on which it begins.

A constraint this version does not know makes the passport invalid (E103): a limit that is not understood cannot be kept.

A constraint whose param an intent does not carry does not apply to it. To make params mandatory and to refuse invented ones, give
the action a schema (JSON Schema 2020-12) in the file for --from. A schema with an unknown keyword, or with "format", which nobody
would check, is refused.

  "actions": [{"name": "issue_refund",
               "params": {"type": "object", "required": ["amount"],
                          "additionalProperties": false,
                          "properties": {"amount": {"type": "number"}}}}]
`;
}
