/** The words that limits look for in the names of params (protocol, sections 5.1, 5.2 and 5.4). Words are singular. */

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** A name that holds one of these may hold money. */
export const MONEY_WORDS = list(
  `amount total subtotal price cost sum value payment charge fee refund budget spend credit debit deposit payout salary tip`,
);
/** A name that ends with one of these, or with digits, holds no money. */
export const NO_MONEY_WORDS = list(
  `id key code number no name type status reason method count item page row year month day date time percent rate ratio level
   center centre account hash version`,
);
/** Beside a word for money: the number counts minor units. */
export const MINOR_WORDS = list(`minor cent pence`);
/** Words for the price of one thing. */
export const PRICE_WORDS = list(`price cost`);
/** Words for how many of a thing: times the price, they are money. */
export const QUANTITY_WORDS = list(`quantity qty unit`);
/** A price that holds one of these is not one of a single unit. */
export const WHOLE_WORDS = list(`total subtotal sum`);
/** Members of an object under a name for money that hold its number: `{"total": {"usd": 5}}`, and Google's `{"units": "5", "nanos": 0}`; `unit` says what a price is for, and `decimals` how a number is written. */
export const MONEY_MEMBERS = list(
  `major minor units nanos cent cents pence gross net raw decimal number float integer dollar dollars euro euros pound pounds`,
);

/** What the currency of money is called beside `currency`. */
export const CURRENCY_NAMES = list(
  `ccy currency_code currency_iso iso_currency iso_currency_code amount_currency amount_currency_code price_currency
   price_currency_code total_currency total_currency_code payment_currency payment_currency_code`,
);

/** Names that alone are a destination, and refuse what cannot be read: those of the first version. */
export const FIRST_DESTINATIONS = list(`to cc bcc recipient email url uri endpoint host domain webhook`);
/** Words of names that hold destinations (protocol, 5.2). */
export const STRONG_DESTINATIONS = list(
  `to cc bcc recipient email mail url uri href endpoint host hostname domain website webhook server`,
);
/** Words of names that hold a destination only where the value reads as one. */
export const WEAK_DESTINATIONS = list(`link src site callback redirect origin destination reply address`);
/** Endings of files: under a weak word `report.csv` names no host. Endings that are also top-level domains are left out. */
export const FILE_ENDINGS: ReadonlySet<string> = new Set(
  list(
    `csv tsv json jsonl ndjson pdf txt html htm xhtml xml yaml yml png jpg jpeg gif webp svg bmp tiff ico doc docx xls xlsx ppt pptx
     odt ods rtf log conf config ini toml cfg env css scss less js mjs cjs ts tsx jsx php jsp asp aspx rb cpp sql sqlite db parquet
     avro c h go kt kts java scala swift dart lua cs hpp cxx vue svelte jsonc json5 mdx rst tex bib proto gradle tfvars bat ps1 psm1
     diff patch bin iso rpm msi dmg wasm pyc ttf woff woff2 psd bak tmp lock tar gz tgz bz2 xz rar jar war exe dll wav mp3 mp4 avi
     mkv ogg flac webm pem crt key eml ics vcf epub ipynb`,
  ),
);

/** One name in the whole table. */
export const ENVIRONMENT_WORDS = list(`environment env stage`);
/** What `max_instances` and `min_instances` read beside names that end in it. */
export const INSTANCE_NAMES = list(`desired_count desired_instances replicas`);

/**
 * Names that begin or end with a word of the table and mean something else. `aip help constraints` prints this list.
 */
export const NOT_THESE_WORDS: ReadonlySet<string> = new Set(
  list(
    `accredit acceptable account addressed addressee backstage border budgetary caprice chargeable charged charger chargers costume
     creditcard creditor creditworthy debitcard depositor depository devalue devalued discharge discount discredit disorder
     downstage editable emailed emailer estate executable feedback hostage microservice misspend notable observer observers onstage
     originally original originals originality originate originated origination originator orderly paramount portable postage preserver
     priceless pricelist pricey printable recharge recorder redirected redirection refundable reorder replying restage
     revalue serverless sortable spender supercharge suspend tantamount teetotal timetable totalitarian totality totally
     undervalue undervalued upstage valueless valued valuer vegetable viscount wastage`,
  ),
);

/** The constraints that have one name each; others are named after the params that they read. */
export const EXACT_CONSTRAINTS: readonly string[] = [
  'monetary_limit',
  'daily_limit',
  'currency',
  'allowed_domains',
  'rate_limit',
  'require_approval',
  'time_window',
  'geo_restriction',
];
