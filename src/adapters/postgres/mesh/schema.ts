/** The tables of a mesh in PostgreSQL, and the function that appends to its log. */

/** The schema that everything stands in. */
export const SCHEMA = 'aip_mesh';
/** Of the tables below; a database with a greater one is refused. */
export const TABLES_VERSION = 2;
/** Channel on which commits are told. */
export const CHANNEL = 'aip_mesh';

/**
 * `append` locks the head row and compares it with what its caller judged by, so that a caller that was frozen in between writes nothing.
 * Its lock is waited for by itself: an idle transaction that holds the row costs a command, never the server.
 */
export const TABLES = `
CREATE SCHEMA ${SCHEMA};
CREATE TABLE ${SCHEMA}.head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version int NOT NULL,
  log_id text NOT NULL,
  term int NOT NULL,
  sealed_by int,
  mesh_key text,
  seq bigint NOT NULL,
  event_term int NOT NULL,
  hash text NOT NULL
) WITH (fillfactor = 50);
-- One row a node: a committed write of it proves that this is the primary still.
CREATE TABLE ${SCHEMA}.proofs (node text PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50);
-- seq is given under the lock of the head row, never by a sequence.
CREATE TABLE ${SCHEMA}.events (seq bigint PRIMARY KEY, term int NOT NULL, hash text NOT NULL, body text NOT NULL);
CREATE TABLE ${SCHEMA}.subjects (
  subject text COLLATE "C" PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
  reason text,
  changed_at bigint NOT NULL,
  changed_by text,
  suspended_until bigint,
  version bigint NOT NULL,
  seq bigint NOT NULL
);
CREATE TABLE ${SCHEMA}.answers (cmd_id text PRIMARY KEY, digest text NOT NULL, body text NOT NULL);
CREATE TABLE ${SCHEMA}.nonces (value text PRIMARY KEY, keep_until bigint NOT NULL);
CREATE INDEX ON ${SCHEMA}.nonces (keep_until);
CREATE TABLE ${SCHEMA}.api_keys (
  key_id text PRIMARY KEY,
  created_at bigint NOT NULL,
  revoked_at bigint,
  body text NOT NULL
);
CREATE TABLE ${SCHEMA}.members (verifier text PRIMARY KEY, seen_at bigint NOT NULL, body text NOT NULL);
CREATE TABLE ${SCHEMA}.notes (name text PRIMARY KEY, body text NOT NULL);
CREATE TABLE ${SCHEMA}.passports (
  agent text COLLATE "C" PRIMARY KEY,
  serial bigint,
  hash text,
  seq bigint NOT NULL
);
CREATE TABLE ${SCHEMA}.documents (hash text PRIMARY KEY, body text NOT NULL);
CREATE TABLE ${SCHEMA}.principals (
  did text COLLATE "C" NOT NULL,
  public_key text COLLATE "C" NOT NULL,
  added_at bigint NOT NULL,
  added_by text NOT NULL,
  PRIMARY KEY (did, public_key)
);
CREATE TABLE ${SCHEMA}.papers (
  kind text NOT NULL,
  id text COLLATE "C" NOT NULL,
  version int NOT NULL,
  changed_at bigint NOT NULL,
  keep_until bigint NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE TABLE ${SCHEMA}.shipped (
  row bigint PRIMARY KEY,
  log_id text NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL,
  agent text NOT NULL,
  status text NOT NULL,
  code text,
  at bigint NOT NULL,
  body text NOT NULL,
  UNIQUE (log_id, seq)
);
CREATE INDEX ON ${SCHEMA}.shipped (agent, row);
CREATE TABLE ${SCHEMA}.shippers (
  log_id text PRIMARY KEY,
  verifier text NOT NULL UNIQUE,
  key_id text NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL,
  at bigint NOT NULL
);
CREATE TABLE ${SCHEMA}.shipped_room (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  last_row bigint NOT NULL,
  bytes bigint NOT NULL
);
INSERT INTO ${SCHEMA}.shipped_room VALUES (true, 0, 0);

CREATE FUNCTION ${SCHEMA}.lock_head() RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
  PERFORM 1 FROM ${SCHEMA}.head WHERE one FOR UPDATE;
END $$;

CREATE FUNCTION ${SCHEMA}.append(w jsonb) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  h ${SCHEMA}.head;
  last jsonb;
BEGIN
  SELECT * INTO h FROM ${SCHEMA}.head WHERE one FOR UPDATE;
  IF h.seq <> (w->>'seq')::bigint OR h.hash <> w->>'hash' OR h.term <> (w->>'term')::int OR h.sealed_by IS NOT NULL THEN
    RETURN false;
  END IF;
  -- A nonce or a cmd_id that somebody was faster with breaks the whole of it off.
  INSERT INTO ${SCHEMA}.nonces SELECT x->>'value', (x->>'keepUntil')::bigint FROM jsonb_array_elements(w->'nonces') x;
  INSERT INTO ${SCHEMA}.answers SELECT x->>'cmdId', x->>'digest', x->>'body' FROM jsonb_array_elements(w->'answers') x;
  INSERT INTO ${SCHEMA}.events
    SELECT (x->>'seq')::bigint, (x->>'term')::int, x->>'hash', x->>'text' FROM jsonb_array_elements(w->'events') x;
  INSERT INTO ${SCHEMA}.subjects
    SELECT x->>'subject', x->>'status', x->>'reason', (x->>'changedAt')::bigint, x->>'changedBy',
           (x->>'suspendedUntil')::bigint, (x->>'version')::bigint, (x->>'seq')::bigint
    FROM jsonb_array_elements(w->'standings') x
    ON CONFLICT (subject) DO UPDATE SET status = excluded.status, reason = excluded.reason,
      changed_at = excluded.changed_at, changed_by = excluded.changed_by, suspended_until = excluded.suspended_until,
      version = excluded.version, seq = excluded.seq;
  INSERT INTO ${SCHEMA}.documents SELECT x->>'hash', x->>'text' FROM jsonb_array_elements(w->'documents') x
    ON CONFLICT DO NOTHING;
  INSERT INTO ${SCHEMA}.passports
    SELECT x->>'agent', (x->>'serial')::bigint, x->>'hash', (x->>'seq')::bigint FROM jsonb_array_elements(w->'marks') x
    ON CONFLICT (agent) DO UPDATE SET serial = excluded.serial, hash = excluded.hash, seq = excluded.seq;
  last := w->'events'->-1;
  IF last IS NOT NULL THEN
    UPDATE ${SCHEMA}.head
      SET seq = (last->>'seq')::bigint, event_term = (last->>'term')::int, hash = last->>'hash' WHERE one;
    PERFORM pg_notify('${CHANNEL}', last->>'seq');
  END IF;
  RETURN true;
END $$;
`;

/** From each version to the next. What is there already arrived now, so that nothing is taken for older than it is. */
export const TABLE_STEPS: Readonly<Record<number, string>> = {
  1: `ALTER TABLE ${SCHEMA}.shipped
        ADD COLUMN arrived bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint`,
};

/** The row of the head, `h`, and in it the hash that the event has whose number is the parameter `seq`. */
export function headWith(seq: string): string {
  return `pg_catalog.to_jsonb(h) || pg_catalog.jsonb_build_object('known', (SELECT hash FROM ${SCHEMA}.events WHERE seq = ${seq}))`;
}

/** What a batch is judged by, of one moment. */
export const FACTS = `
SELECT pg_catalog.jsonb_build_object(
  'head', (SELECT ${headWith('$4')} FROM ${SCHEMA}.head h WHERE one),
  'answers', coalesce((SELECT pg_catalog.jsonb_object_agg(cmd_id, pg_catalog.jsonb_build_array(digest, body)) FROM ${SCHEMA}.answers WHERE cmd_id = ANY($1::text[])), '{}'),
  'standings', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s)) FROM ${SCHEMA}.subjects s WHERE subject = ANY($2::text[])), '[]'),
  'marks', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p)) FROM ${SCHEMA}.passports p WHERE agent = ANY($2::text[])), '[]'),
  'nonces', coalesce((SELECT pg_catalog.jsonb_agg(value) FROM ${SCHEMA}.nonces WHERE value = ANY($3::text[])), '[]')
) AS facts`;
