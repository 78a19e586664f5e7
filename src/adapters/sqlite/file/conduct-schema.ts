/** What is counted only, of refusals that may be a stranger's doing; since version 6 in every file. */
export const FOLDING_TABLE = `
-- One row: how many of kind 2 have an entry in this minute, and what was counted only since an entry said so. Moments in ms.
CREATE TABLE IF NOT EXISTS folding (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  minute INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  folded INTEGER NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT;
`;

/** Tables of what reports read: they cost the same however long the log is. */
export const CONDUCT_TABLES = `
-- Entries by agent and span of time: whole minutes for two days, whole hours for good (span, ms). Kind: 0 accepted, 1 refused and the
-- agent can be held to it, 2 refused and it may be a stranger's doing, 3 as 2, without an entry. The code is empty for the accepted.
CREATE TABLE tallies (
  agent INTEGER NOT NULL,
  span INTEGER NOT NULL,
  start INTEGER NOT NULL,        -- ms
  kind INTEGER NOT NULL,         -- 0 accepted, 1 to 3 refused, 4 accepted and ended well, 5 accepted and failed
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (agent, span, start, kind, code)
) STRICT, WITHOUT ROWID;
${FOLDING_TABLE}-- The five newest of kind 1: a stranger could bury them under any number of others.
CREATE TABLE recent_failures (
  agent INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,           -- ms
  code TEXT NOT NULL,
  action TEXT,
  PRIMARY KEY (agent, seq)
) STRICT, WITHOUT ROWID;
-- How far the fold of each agent has come under each set of rules.
CREATE TABLE trust_states (
  agent INTEGER NOT NULL,
  rules TEXT NOT NULL,
  seq INTEGER NOT NULL,          -- the newest entry taken in
  state TEXT NOT NULL,           -- JSON
  PRIMARY KEY (agent, rules)
) STRICT, WITHOUT ROWID;
-- The same as of the newest entry that pruning removed: where computing anew begins.
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
  start INTEGER NOT NULL,        -- ms
  score REAL NOT NULL,
  PRIMARY KEY (agent, rules, start)
) STRICT, WITHOUT ROWID;

-- Signed statements about the log: checkpoints of its head, and summaries of what was pruned. JSON as it was signed.
CREATE TABLE statements (
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('checkpoint', 'pruning')),
  text TEXT NOT NULL,
  PRIMARY KEY (seq, kind, text)
) STRICT, WITHOUT ROWID;
`;
