/** `aipm`, in SQLite's application_id: tells a mesh store from any other database. */
export const MESH_APPLICATION_ID = 0x6169706d;
/** Of the tables below. A file with a greater one is refused. */
export const MESH_SCHEMA_VERSION = 3;

export const MESH_SCHEMA = `
PRAGMA application_id = ${MESH_APPLICATION_ID};
PRAGMA user_version = ${MESH_SCHEMA_VERSION};

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The log: seq is given inside the transaction that writes, never by the table.
CREATE TABLE events (seq INTEGER PRIMARY KEY, term INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL) STRICT;

-- The fold of the log.
CREATE TABLE subjects (
  subject TEXT PRIMARY KEY,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  reason TEXT,
  changed_at INTEGER NOT NULL,
  changed_by TEXT,
  suspended_until INTEGER,
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each command was answered, so that it is carried out once.
CREATE TABLE answers (cmd_id TEXT PRIMARY KEY, digest TEXT NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE nonces (value TEXT PRIMARY KEY, keep_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_keep_until ON nonces (keep_until);

CREATE TABLE api_keys (
  key_id TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  label TEXT,
  public_key TEXT,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  max_verifiers INTEGER,
  ephemeral INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Everyone who ever listened: body is the member as JSON.
CREATE TABLE members (verifier TEXT PRIMARY KEY, seen_at INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX members_seen_at ON members (seen_at);

-- The passport in force of each agent, as the log tells it; documents are kept by their hash.
CREATE TABLE passports (
  agent TEXT PRIMARY KEY,
  serial INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- Whose passports this mesh takes.
CREATE TABLE principals (
  did TEXT NOT NULL,
  public_key TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  PRIMARY KEY (did, public_key)
) STRICT, WITHOUT ROWID;

-- Small texts beside the log that change until they end.
CREATE TABLE papers (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX papers_changed_at ON papers (kind, changed_at);
CREATE INDEX papers_keep_until ON papers (keep_until);
`;

/** Brings a file of the first version to this one. A first-version program refuses it from then on, which would write another term. */
const FROM_1 = `
BEGIN IMMEDIATE;
ALTER TABLE api_keys ADD COLUMN max_verifiers INTEGER;
ALTER TABLE api_keys ADD COLUMN ephemeral INTEGER NOT NULL DEFAULT 0;
DROP TABLE acks;
${MESH_SCHEMA.slice(MESH_SCHEMA.indexOf('-- Everyone who ever'), MESH_SCHEMA.length)}
PRAGMA user_version = ${MESH_SCHEMA_VERSION};
COMMIT;
`;

const FROM_2 = `
BEGIN IMMEDIATE;
${MESH_SCHEMA.slice(MESH_SCHEMA.indexOf('-- Small texts'), MESH_SCHEMA.length)}
PRAGMA user_version = ${MESH_SCHEMA_VERSION};
COMMIT;
`;

/** What brings a file of an earlier version to this one. */
export const UPGRADES: Readonly<Record<number, string>> = { 1: FROM_1, 2: FROM_2 };
