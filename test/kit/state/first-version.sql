-- The tables of the first version's state, as its files have them.
PRAGMA application_id = 1634299937;
PRAGMA user_version = 1;
CREATE TABLE identity (
  verifier TEXT NOT NULL,
  log_id TEXT NOT NULL
) STRICT;
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  base_seq INTEGER NOT NULL,
  base_hash TEXT NOT NULL,
  usages INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  kept_0 INTEGER NOT NULL,
  kept_1 INTEGER NOT NULL,
  seen_0 INTEGER NOT NULL,
  seen_1 INTEGER NOT NULL,
  forgotten INTEGER NOT NULL
) STRICT;
CREATE TABLE nonces_0 (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE nonces_1 (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE nonces_long (key BLOB PRIMARY KEY, seen INTEGER NOT NULL, result TEXT, kept INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX nonces_long_kept ON nonces_long (kept);
CREATE TABLE agents (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  total INTEGER NOT NULL DEFAULT 0,
  successful INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  unattributed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE code_tallies (
  agent INTEGER NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (agent, code)
) STRICT, WITHOUT ROWID;
CREATE TABLE actions (id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (agent, name)) STRICT;
CREATE TABLE usages (
  action INTEGER NOT NULL,
  at INTEGER NOT NULL,
  n INTEGER NOT NULL,
  currency TEXT,
  amount INTEGER,
  PRIMARY KEY (action, at, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE spans (
  action INTEGER NOT NULL,
  span INTEGER NOT NULL,
  start INTEGER NOT NULL,
  currency TEXT NOT NULL,
  count INTEGER NOT NULL,
  high INTEGER NOT NULL,
  low INTEGER NOT NULL,
  PRIMARY KEY (action, span, start, currency)
) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  action TEXT,
  success INTEGER NOT NULL CHECK (success IN (0, 1)),
  code TEXT,
  hash TEXT NOT NULL,
  body TEXT NOT NULL
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
CREATE TABLE standing (
  subject TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  reason TEXT,
  changed_at INTEGER NOT NULL,
  changed_by TEXT,
  suspended_until INTEGER,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE standing_marks (key BLOB PRIMARY KEY, sum BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tallies (
  agent INTEGER NOT NULL,
  span INTEGER NOT NULL,
  start INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (agent, span, start, kind, code)
) STRICT, WITHOUT ROWID;
CREATE TABLE recent_failures (
  agent INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  code TEXT NOT NULL,
  action TEXT,
  PRIMARY KEY (agent, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE trust_states (
  agent INTEGER NOT NULL,
  rules TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (agent, rules)
) STRICT, WITHOUT ROWID;
CREATE TABLE trust_floors (
  agent INTEGER NOT NULL,
  rules TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (agent, rules)
) STRICT, WITHOUT ROWID;
CREATE TABLE trust_hours (
  agent INTEGER NOT NULL,
  rules TEXT NOT NULL,
  start INTEGER NOT NULL,
  score REAL NOT NULL,
  PRIMARY KEY (agent, rules, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE statements (
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('checkpoint', 'pruning')),
  text TEXT NOT NULL,
  PRIMARY KEY (seq, kind, text)
) STRICT, WITHOUT ROWID;
