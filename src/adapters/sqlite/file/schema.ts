import { CONDUCT_TABLES, FOLDING_TABLE } from './conduct-schema.js';

/** `aip!`, in SQLite's application_id: tells our file from any other database. */
export const STATE_APPLICATION_ID = 0x61697021;
/** Of the tables below. A file with a greater one is refused; a smaller one is brought up to date here. */
export const STATE_SCHEMA_VERSION = 7;

/** What a proof needs, since version 2. */
const PROOF_TABLES = `
-- The tree over the entries after tree_after: rows of up to 32 hashes, of leaves at level 0.
CREATE TABLE tiles (level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, n))
  STRICT, WITHOUT ROWID;
-- Entries by intent hash and by nonce. The key is of the state: 2^32 a block of 1,024 entries, and 32 bits of an HMAC within.
CREATE TABLE lookups (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
-- Passports under which intents were judged, and pinned keys that they were believed by.
CREATE TABLE judged_passports (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- What became of accepted intents: the entry of the decision, and that of the outcome.
CREATE TABLE outcomes (
  decision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  final INTEGER NOT NULL CHECK (final IN (0, 1)),
  PRIMARY KEY (decision, seq)
) STRICT, WITHOUT ROWID;
`;

/** Since version 3. */
const DOCUMENT_TABLES = `
-- With log.params full: documents as they were sent, of which the entry does not hold all that was signed.
CREATE TABLE documents (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
`;

/** Who may still speak for an agent, since version 2. */
const SPEAKER_TABLES = `
-- Serials below which an agent's passports are refused. They outlive the passports.
CREATE TABLE passport_floors (
  agent_id TEXT NOT NULL,
  issuer_key TEXT NOT NULL,      -- of the document it comes from; empty for an event of the mesh
  serial INTEGER NOT NULL,
  hash TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, issuer_key)
) STRICT, WITHOUT ROWID;
-- The names that keys bound to no agent have spoken under.
CREATE TABLE spoken_names (key TEXT NOT NULL, agent_id TEXT NOT NULL, PRIMARY KEY (key, agent_id))
  STRICT, WITHOUT ROWID;
`;

/** Since version 7. */
const FORM_GUARD = `
-- A process of the first version that had the file open when it was brought up writes on, entries without a leaf of the tree: its commits end
-- here. Its entries have ten parts.
CREATE TRIGGER IF NOT EXISTS head_form BEFORE UPDATE OF usages ON head
  WHEN NEW.seq > OLD.seq AND (SELECT kind = 0 AND json_array_length(body) = 10 FROM entries WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'the state file was brought up by a newer aip: start this one anew'); END;
`;

/**
 * From each version to the next. The tree begins with the first entry that is written under version 2; that one names the hash of the one
 * before it, so it vouches for all that the first version wrote.
 */
export const MIGRATIONS: Readonly<Record<number, string>> = {
  1: `
ALTER TABLE entries ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN token BLOB;
ALTER TABLE identity ADD COLUMN secret BLOB NOT NULL DEFAULT x'';
ALTER TABLE identity ADD COLUMN tree_after INTEGER NOT NULL DEFAULT 0;
UPDATE identity SET secret = randomblob(32), tree_after = (SELECT seq FROM head WHERE id = 1);
${PROOF_TABLES}${SPEAKER_TABLES}
PRAGMA user_version = 2;`,
  2: `${DOCUMENT_TABLES}PRAGMA user_version = 3;`,
  // Blocks were of 65,536 entries: a commit touched as many pages as it held entries.
  3: `
CREATE TABLE moved (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
INSERT INTO moved SELECT seq / 1024 * 4294967296 + (key & 4294967295), seq FROM lookups;
DROP TABLE lookups;
ALTER TABLE moved RENAME TO lookups;
PRAGMA user_version = 4;`,
  // How accepted intents ended was read off the log at each report.
  4: `
INSERT INTO tallies (agent, span, start, kind, code, count)
  SELECT decided.agent, spans.span, decided.at - decided.at % spans.span, 5 - said.success, '', count(*)
    FROM outcomes
    JOIN entries decided ON decided.seq = outcomes.decision
    JOIN entries said ON said.seq = outcomes.seq
    JOIN (SELECT 60000 AS span UNION ALL SELECT 3600000) spans
   WHERE outcomes.final = 1 GROUP BY 1, 2, 3, 4;
PRAGMA user_version = 5;`,
  // Files that were brought up from version 1 never got it.
  5: `${FOLDING_TABLE}PRAGMA user_version = 6;`,
  6: `${FORM_GUARD}PRAGMA user_version = 7;`,
};

/** Up to this version agents were held to more refusals than since. */
export const RECOUNTED_AFTER = 5;

export const STATE_SCHEMA = `
PRAGMA application_id = ${STATE_APPLICATION_ID};
PRAGMA user_version = ${STATE_SCHEMA_VERSION};

CREATE TABLE identity (
  verifier TEXT NOT NULL,
  log_id TEXT NOT NULL,
  secret BLOB NOT NULL,          -- 32 bytes, for lookups
  tree_after INTEGER NOT NULL    -- the entry before the first leaf of the tree
) STRICT;

-- One row. Read at the start of each write transaction, written at its end.
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,          -- of the newest entry
  hash TEXT NOT NULL,
  base_seq INTEGER NOT NULL,     -- the link before the oldest entry kept
  base_hash TEXT NOT NULL,
  usages INTEGER NOT NULL,       -- recorded so far: tells apart uses within one millisecond
  generation INTEGER NOT NULL,   -- which of the two nonce tables is written to
  kept_0 INTEGER NOT NULL,       -- when the last nonce of nonces_0 may be forgotten, ms
  kept_1 INTEGER NOT NULL,
  seen_0 INTEGER NOT NULL,       -- when the newest nonce of nonces_0 was spent, ms
  seen_1 INTEGER NOT NULL,
  forgotten INTEGER NOT NULL     -- when the newest nonce that is forgotten was spent, ms; 0 when none is
) STRICT;

-- Nonces in two generations. When all of the older one may be forgotten it is emptied at once and becomes the younger:
-- deleting one by one would touch a random page for each. The key is 16 bytes of SHA-256 over agent and nonce.
CREATE TABLE nonces_0 (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE nonces_1 (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT) STRICT, WITHOUT ROWID;
-- Those kept so long that they would hold up a generation.
CREATE TABLE nonces_long (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT, kept INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX nonces_long_kept ON nonces_long (kept);

-- Everyone the log speaks of, with the tallies of what it says.
CREATE TABLE agents (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  total INTEGER NOT NULL DEFAULT 0,
  successful INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,         -- refusals that the agent can be held to
  unattributed INTEGER NOT NULL DEFAULT 0    -- refusals that may be a stranger's doing
) STRICT;
CREATE TABLE code_tallies (
  agent INTEGER NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (agent, code)
) STRICT, WITHOUT ROWID;

-- Accepted intents, for sliding windows and spending. An action here is one agent's.
CREATE TABLE actions (id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (agent, name)) STRICT;
CREATE TABLE usages (
  action INTEGER NOT NULL,
  at INTEGER NOT NULL,           -- ms
  n INTEGER NOT NULL,
  currency TEXT,
  amount INTEGER,                -- minor units
  PRIMARY KEY (action, at, n)
) STRICT, WITHOUT ROWID;
-- The same by whole minutes and whole hours (span, ms), so that a day is read in some hundred rows. A sum in halves of
-- 32 bits cannot overflow.
CREATE TABLE spans (
  action INTEGER NOT NULL,
  span INTEGER NOT NULL,
  start INTEGER NOT NULL,        -- ms
  currency TEXT NOT NULL,        -- empty where there was none
  count INTEGER NOT NULL,
  high INTEGER NOT NULL,
  low INTEGER NOT NULL,
  PRIMARY KEY (action, span, start, currency)
) STRICT, WITHOUT ROWID;

-- The log. What entries are searched by has a column of its own; the rest is a JSON list in body. Nothing stands twice,
-- so whatever is changed here changes what the chain hashes.
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,           -- ms
  agent INTEGER NOT NULL,
  action TEXT,
  success INTEGER NOT NULL CHECK (success IN (0, 1)),
  code TEXT,
  hash TEXT NOT NULL,
  body TEXT NOT NULL,
  kind INTEGER NOT NULL DEFAULT 0, -- 0 verification, 1 outcome, 2 erasure
  token BLOB                     -- of an accepted intent: what the hash of its outcome token begins with
) STRICT;
CREATE INDEX entries_agent ON entries (agent);
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_code ON entries (code) WHERE code IS NOT NULL;

CREATE TABLE passports (
  agent_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  path TEXT,
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pins (
  did TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key BLOB NOT NULL,
  pinned_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (did, key_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
  key_id TEXT PRIMARY KEY,
  store TEXT NOT NULL,
  ref TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The local copy of what the mesh says, newest word on each subject.
CREATE TABLE standing (
  subject TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  reason TEXT,
  changed_at INTEGER NOT NULL,
  changed_by TEXT,
  suspended_until INTEGER,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- By hashed subject, what a standing must be: where the two disagree there is damage, never a yes.
CREATE TABLE standing_marks (key BLOB PRIMARY KEY, sum BLOB NOT NULL) STRICT, WITHOUT ROWID;
${PROOF_TABLES}${DOCUMENT_TABLES}${SPEAKER_TABLES}${CONDUCT_TABLES}${FORM_GUARD}`;
