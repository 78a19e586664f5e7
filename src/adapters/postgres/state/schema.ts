/**
 * The schema of the memory that a fleet shares. Each step is applied once, in order, and never changed afterwards: a later version adds
 * a step.
 */

import { SECOND_STEP } from './schema-2.js';
import { THIRD_STEP } from './schema-3.js';
import { STATE_SCHEMA_NAME as SCHEMA } from './version.js';

/** Class of the advisory locks that are taken here; another program of the database may use others. */
export const LOCK_CLASS = 1_095_323_987;

/** Accepted intents of one action in a minute from which on they are kept by the second. */
const HOT = 1000;
/** Least time for which a spent nonce is kept, in ms. */
const KEPT_AT_LEAST = 600_000;
/** How long after its start a call is thought to be at work, in ms. */
const AT_WORK = 30_000;
/** Longest window, twice: clocks may disagree. In ms. */
const KEPT_USAGE = 48 * 3_600_000;
/** How long it is remembered what a verifier that does not come back left unsaid, and which requests were used up, in ms. */
const KEPT_CALLS = 30 * 86_400_000;
const KEPT_REQUESTS = 60 * 86_400_000;

const TABLES = `
CREATE SCHEMA ${SCHEMA};
REVOKE ALL ON SCHEMA ${SCHEMA} FROM PUBLIC;
SET LOCAL search_path = ${SCHEMA}, pg_catalog;

CREATE TABLE versions (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());

-- Spent nonces. The key is the beginning of SHA-256 over agent and nonce.
CREATE TABLE nonces (
  key bytea PRIMARY KEY,
  seen bigint NOT NULL,        -- ms since the epoch
  kept bigint NOT NULL,        -- may be forgotten after that moment
  result text,                 -- code of the refusal; null: accepted
  claim bytea NOT NULL,        -- id of the claim that spent it
  answer jsonb NOT NULL        -- what that claim was answered: asked again, it gets the same
);
CREATE INDEX nonces_kept ON nonces (kept);
-- Nonces that were spent until then may be forgotten.
CREATE TABLE forgotten (id int PRIMARY KEY CHECK (id = 1), until bigint NOT NULL);
INSERT INTO forgotten VALUES (1, 0);

-- What agents were accepted for. The other columns are what max_<things>_per_<unit> finds things by.
CREATE TABLE actions (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent text NOT NULL,
  name text NOT NULL,
  cancels boolean NOT NULL,
  words text NOT NULL,
  starts text[] NOT NULL,
  ends text[] NOT NULL,
  UNIQUE (agent, name)
);
-- Accepted intents one by one; of a busy action the first of each minute.
CREATE TABLE usages (action int NOT NULL, at bigint NOT NULL, currency text NOT NULL, amount bigint NOT NULL CHECK (amount >= 0));
CREATE INDEX usages_at ON usages (action, at);
-- The others of each second together, as if all were of its last millisecond: rounded against the agent.
CREATE TABLE seconds (
  action int NOT NULL, at bigint NOT NULL, currency text NOT NULL, count bigint NOT NULL, amount numeric NOT NULL,
  PRIMARY KEY (action, at, currency)
) WITH (fillfactor = 60);
-- All of them added up by minute and by hour: a window is whole hours, the whole minutes before them, and single ones before those.
CREATE TABLE spans (
  action int NOT NULL, span int NOT NULL, start bigint NOT NULL, currency text NOT NULL,
  count bigint NOT NULL, amount numeric NOT NULL,
  PRIMARY KEY (action, span, start, currency)
) WITH (fillfactor = 60);

-- Requests for approval that an accepted intent used up.
CREATE TABLE spent_requests (id text PRIMARY KEY, at bigint NOT NULL);

-- The last call of each verifier's processes, until it is known that its log holds the claims.
CREATE TABLE calls (
  verifier text NOT NULL, process bytea NOT NULL, slot int NOT NULL, call bytea NOT NULL, at bigint NOT NULL, claims jsonb NOT NULL,
  PRIMARY KEY (verifier, process, slot)
) WITH (fillfactor = 50);

-- The clock of everything here, in ms since the epoch.
CREATE FUNCTION clock_ms() RETURNS bigint LANGUAGE sql VOLATILE
AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;
`;

/**
 * What a window holds. Reads only; called with the agent's lock held, or where nothing is decided by it. This function and the next two
 * are called by `settle` alone, which fixes the search path.
 */
const READING = `
CREATE FUNCTION ${SCHEMA}.reading(agent_id text, asks jsonb, ends_at bigint) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_after bigint := ends_at - (asks->>'window')::bigint;
  -- The first millisecond inside of the window may itself begin a whole minute or hour.
  v_minute bigint := ((v_after + 60000) / 60000) * 60000;
  v_hour bigint := ((v_minute + 3599999) / 3600000) * 3600000;
  v_word text := asks->>'word';
  v_folded text := replace(v_word, '_', '');
  v_currency text := asks->>'currency';
  v_limit bigint;
  v_actions int[];
  v_count bigint;
  v_amount numeric;
  v_at bigint;
BEGIN
  IF asks->>'kind' = 'request' THEN
    RETURN jsonb_build_object('spent', EXISTS (SELECT FROM ${SCHEMA}.spent_requests r WHERE r.id = asks->>'id'));
  END IF;
  SELECT array_agg(a.id) INTO v_actions FROM ${SCHEMA}.actions a
  WHERE a.agent = agent_id
    AND (jsonb_typeof(asks->'actions') IS DISTINCT FROM 'array' OR asks->'actions' ? a.name)
    AND (v_word IS NULL OR (
      (NOT a.cancels OR starts_with(v_word, 'cancel'))
      AND (strpos(a.words, '_' || v_word || '_') > 0
        OR (length(v_folded) >= 5 AND (
          EXISTS (SELECT FROM unnest(a.starts) s WHERE starts_with(s, v_folded))
          OR EXISTS (SELECT FROM unnest(a.ends) e WHERE right(e, length(v_folded)) = v_folded))))));
  IF v_actions IS NULL THEN
    v_count := 0; v_amount := 0;
  ELSE
    SELECT coalesce(sum(x.count), 0), coalesce(sum(x.amount), 0) INTO v_count, v_amount FROM (
      SELECT count(*)::numeric AS count, sum(u.amount) AS amount FROM ${SCHEMA}.usages u
        WHERE u.action = ANY (v_actions) AND u.at > v_after AND u.at < v_minute AND (v_currency IS NULL OR u.currency = v_currency)
      UNION ALL SELECT sum(s.count), sum(s.amount) FROM ${SCHEMA}.seconds s
        WHERE s.action = ANY (v_actions) AND s.at > v_after AND s.at < v_minute AND (v_currency IS NULL OR s.currency = v_currency)
      UNION ALL SELECT sum(s.count), sum(s.amount) FROM ${SCHEMA}.spans s
        WHERE s.action = ANY (v_actions) AND s.span = 60000 AND s.start >= v_minute AND s.start < v_hour
          AND (v_currency IS NULL OR s.currency = v_currency)
      UNION ALL SELECT sum(s.count), sum(s.amount) FROM ${SCHEMA}.spans s
        WHERE s.action = ANY (v_actions) AND s.span = 3600000 AND s.start >= v_hour
          AND (v_currency IS NULL OR s.currency = v_currency)
    ) x;
  END IF;
  IF asks->>'kind' = 'sum' THEN RETURN jsonb_build_object('spent', v_amount::text); END IF;
  v_limit := (asks->>'limit')::bigint;
  IF v_count >= v_limit AND v_limit > 0 THEN
    -- The window has room when the limit-th newest has left it.
    SELECT x.at INTO v_at FROM (
      SELECT y.at, sum(y.count) OVER (ORDER BY y.at DESC ROWS UNBOUNDED PRECEDING) AS newer FROM (
        SELECT u.at, 1 AS count FROM ${SCHEMA}.usages u WHERE u.action = ANY (v_actions) AND u.at > v_after
        UNION ALL SELECT s.at, s.count FROM ${SCHEMA}.seconds s WHERE s.action = ANY (v_actions) AND s.at > v_after
      ) y
    ) x WHERE x.newer >= v_limit ORDER BY x.at DESC LIMIT 1;
  END IF;
  RETURN jsonb_build_object('used', v_count, 'at', v_at);
END $$;
`;

/** Counts an accepted intent in the windows. */
const COUNT = `
CREATE FUNCTION ${SCHEMA}.count_usage(agent_id text, usage jsonb, used_at bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_action int;
  v_busy bigint;
  v_amount bigint := coalesce((usage->>'amount')::bigint, 0);
  v_currency text := coalesce(usage->>'currency', '');
BEGIN
  IF v_amount < 0 THEN RAISE EXCEPTION 'an amount below zero is not counted'; END IF;
  SELECT a.id INTO v_action FROM ${SCHEMA}.actions a WHERE a.agent = agent_id AND a.name = usage->>'action';
  IF v_action IS NULL THEN
    INSERT INTO ${SCHEMA}.actions (agent, name, cancels, words, starts, ends)
    VALUES (agent_id, usage->>'action', (usage->>'cancels')::boolean, usage->>'words',
      ARRAY(SELECT jsonb_array_elements_text(usage->'starts')), ARRAY(SELECT jsonb_array_elements_text(usage->'ends')))
    RETURNING id INTO v_action;
  END IF;
  WITH added AS (
    INSERT INTO ${SCHEMA}.spans AS s (action, span, start, currency, count, amount)
    VALUES (v_action, 60000, used_at - used_at % 60000, v_currency, 1, v_amount),
      (v_action, 3600000, used_at - used_at % 3600000, v_currency, 1, v_amount)
    ON CONFLICT (action, span, start, currency) DO UPDATE SET count = s.count + 1, amount = s.amount + excluded.amount
    RETURNING s.span, s.count
  ) SELECT added.count INTO v_busy FROM added WHERE added.span = 60000;
  IF v_busy <= ${HOT} THEN
    INSERT INTO ${SCHEMA}.usages (action, at, currency, amount) VALUES (v_action, used_at, v_currency, v_amount);
  ELSE
    INSERT INTO ${SCHEMA}.seconds AS s (action, at, currency, count, amount)
    VALUES (v_action, used_at - used_at % 1000 + 999, v_currency, 1, v_amount)
    ON CONFLICT (action, at, currency) DO UPDATE SET count = s.count + 1, amount = s.amount + excluded.amount;
  END IF;
END $$;
`;

/** Forgets a bounded part of what nothing can ask for any more. One transaction at a time; the others go on without. */
const PRUNE = `
CREATE FUNCTION ${SCHEMA}.prune(now_ms bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_until bigint;
  v_old bigint := now_ms - ${KEPT_USAGE};
  v_from int;
BEGIN
  IF NOT pg_try_advisory_xact_lock(${LOCK_CLASS + 1}, 1) THEN RETURN; END IF;
  WITH gone AS (
    DELETE FROM ${SCHEMA}.nonces n WHERE n.key IN (
      SELECT m.key FROM ${SCHEMA}.nonces m WHERE m.kept < now_ms ORDER BY m.kept LIMIT 512 FOR UPDATE SKIP LOCKED)
    RETURNING n.seen
  ) SELECT max(gone.seen) INTO v_until FROM gone;
  IF v_until IS NOT NULL THEN UPDATE ${SCHEMA}.forgotten f SET until = greatest(f.until, v_until) WHERE f.until < v_until; END IF;
  DELETE FROM ${SCHEMA}.calls c WHERE c.at < now_ms - ${KEPT_CALLS};
  DELETE FROM ${SCHEMA}.spent_requests r WHERE r.at < now_ms - ${KEPT_REQUESTS};
  v_old := v_old - v_old % 3600000;
  SELECT floor(random() * (max(a.id) + 1))::int INTO v_from FROM ${SCHEMA}.actions a;
  FOR v_from IN SELECT a.id FROM ${SCHEMA}.actions a WHERE a.id >= v_from ORDER BY a.id LIMIT 8 LOOP
    DELETE FROM ${SCHEMA}.usages u WHERE u.ctid = ANY (ARRAY(
      SELECT o.ctid FROM ${SCHEMA}.usages o WHERE o.action = v_from AND o.at < v_old ORDER BY o.at LIMIT 512));
    DELETE FROM ${SCHEMA}.seconds s WHERE s.action = v_from AND s.at < v_old;
    DELETE FROM ${SCHEMA}.spans s WHERE s.action = v_from AND s.span = 60000 AND s.start < v_old;
    DELETE FROM ${SCHEMA}.spans s WHERE s.action = v_from AND s.span = 3600000 AND s.start < v_old;
  END LOOP;
END $$;
`;

/**
 * The one function that verifiers call. It first takes the lock of every agent in it, sorted, and then reads in new statements: with
 * lock and read in one statement, the read would be of before the lock, and two callers would both find room.
 */
const SETTLE = `
CREATE FUNCTION ${SCHEMA}.settle(claims jsonb, about jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1500ms'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_lock int;
  v_now bigint;
  v_at bigint;
  v_claim jsonb;
  v_asks jsonb;
  v_reading jsonb;
  v_readings jsonb;
  v_blocks boolean;
  v_blocked boolean;
  v_as text;
  v_answer jsonb;
  v_answers jsonb[] := '{}';
  v_spent jsonb[] := '{}';
  v_open jsonb := '[]';
  v_key bytea;
  v_known record;
  v_forgotten bigint;
BEGIN
  -- A snapshot of before the locks would show windows as they were before other callers filled them.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'settle needs the isolation level read committed' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  -- An answer is durable.
  IF current_setting('synchronous_commit') IN ('off', 'local') THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
  FOR v_lock IN
    SELECT DISTINCT hashtext(c->>'agent') AS lock FROM jsonb_array_elements(claims) c WHERE (c->>'writes')::boolean ORDER BY lock
  LOOP
    PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, v_lock);
  END LOOP;
  v_now := ${SCHEMA}.clock_ms();

  FOR v_claim IN SELECT c FROM jsonb_array_elements(claims) c LOOP
    v_key := decode(v_claim->>'key', 'hex');
    SELECT n.seen, n.result, n.claim, n.answer INTO v_known FROM ${SCHEMA}.nonces n WHERE n.key = v_key;
    IF FOUND AND v_known.claim = decode(v_claim->>'id', 'hex') THEN
      -- Asked again: what it was answered, and not what is true since.
      v_answers := array_append(v_answers, v_known.answer);
      v_spent := array_append(v_spent, jsonb_build_array(v_claim->'agent', v_claim->'intent', coalesce(v_known.result, 'accepted')));
      CONTINUE;
    END IF;
    IF FOUND THEN
      v_answers := array_append(v_answers, jsonb_build_object('as', NULL, 'forgotten', 0, 'readings', '[]'::jsonb,
        'before', jsonb_build_array(v_known.seen, coalesce(v_known.result, 'accepted'))));
      CONTINUE;
    END IF;
    -- After the nonce: what is pruned between the two is then seen to be forgotten.
    SELECT f.until INTO v_forgotten FROM ${SCHEMA}.forgotten f WHERE f.id = 1;
    v_at := coalesce((v_claim->>'at')::bigint, v_now);
    v_readings := '[]';
    v_blocked := false;
    v_as := v_claim->'free'->>'as';
    FOR v_asks IN SELECT o FROM jsonb_array_elements(v_claim->'obstacles') o LOOP
      v_reading := ${SCHEMA}.reading(v_claim->>'agent', v_asks, v_at);
      v_blocks := CASE v_asks->>'kind'
        WHEN 'request' THEN (v_reading->>'spent')::boolean
        WHEN 'sum' THEN (v_reading->>'spent')::numeric + (v_asks->>'asked')::numeric > (v_asks->>'limit')::numeric
        ELSE (v_reading->>'used')::bigint >= (v_asks->>'limit')::bigint
      END;
      -- Of several that stand in the way the first decides.
      IF v_blocks IS DISTINCT FROM false AND NOT v_blocked THEN v_blocked := true; v_as := v_asks->>'as'; END IF;
      v_readings := v_readings || v_reading;
    END LOOP;
    IF v_forgotten <> 0 AND v_forgotten >= (v_claim->>'since')::bigint THEN v_blocked := true; v_as := NULL; END IF;
    IF NOT (v_claim->>'writes')::boolean THEN v_as := NULL; END IF;
    v_answer := jsonb_build_object('as', v_as, 'forgotten', v_forgotten, 'readings', v_readings, 'before', NULL);
    IF v_as IS NOT NULL THEN
      INSERT INTO ${SCHEMA}.nonces (key, seen, kept, result, claim, answer) VALUES (v_key, v_now,
        greatest((v_claim->>'keep')::bigint, v_now + (v_claim->>'keep_ms')::bigint, v_now + ${KEPT_AT_LEAST}),
        nullif(v_as, 'accepted'), decode(v_claim->>'id', 'hex'), v_answer);
      IF NOT v_blocked AND jsonb_typeof(v_claim->'free'->'usage') = 'object' THEN
        PERFORM ${SCHEMA}.count_usage(v_claim->>'agent', v_claim->'free'->'usage', v_at);
      END IF;
      IF NOT v_blocked AND v_claim->'free'->>'request' IS NOT NULL THEN
        INSERT INTO ${SCHEMA}.spent_requests (id, at) VALUES (v_claim->'free'->>'request', v_now);
      END IF;
      v_spent := array_append(v_spent, jsonb_build_array(v_claim->'agent', v_claim->'intent', v_as));
    END IF;
    v_answers := array_append(v_answers, v_answer);
  END LOOP;

  IF jsonb_array_length(about->'done') > 0 THEN
    DELETE FROM ${SCHEMA}.calls c USING jsonb_array_elements(about->'done') d
    WHERE c.verifier = about->>'verifier' AND c.process = decode(d->>0, 'hex') AND c.slot = (d->>1)::int
      AND c.call = decode(d->>2, 'hex');
  END IF;
  IF (about->>'resumes')::boolean THEN
    SELECT coalesce(jsonb_agg(jsonb_build_array(encode(c.process, 'hex'), c.slot, encode(c.call, 'hex'), c.at, c.claims)), '[]') INTO v_open
    FROM (SELECT * FROM ${SCHEMA}.calls o WHERE o.verifier = about->>'verifier' AND o.at < v_now - ${AT_WORK} ORDER BY o.at LIMIT 64) c;
  END IF;
  IF cardinality(v_spent) > 0 THEN
    INSERT INTO ${SCHEMA}.calls AS c (verifier, process, slot, call, at, claims)
    VALUES (about->>'verifier', decode(about->>'process', 'hex'), (about->>'slot')::int, decode(about->>'call', 'hex'), v_now, to_jsonb(v_spent))
    ON CONFLICT (verifier, process, slot) DO UPDATE SET call = excluded.call, at = excluded.at, claims = excluded.claims;
    IF random() < 0.02 THEN PERFORM ${SCHEMA}.prune(v_now); END IF;
  END IF;
  RETURN jsonb_build_object('now', v_now, 'schema', (SELECT max(v.version) FROM ${SCHEMA}.versions v), 'claims', to_jsonb(v_answers), 'open', v_open);
END $$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${SCHEMA} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ${SCHEMA} FROM PUBLIC;
`;

/** The steps of the schema, oldest first; the version that a step leads to is its place, from 1. */
export const STATE_STEPS: readonly string[] = [TABLES + READING + COUNT + PRUNE + SETTLE, SECOND_STEP, THIRD_STEP];
