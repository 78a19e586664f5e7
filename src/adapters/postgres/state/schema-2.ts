/**
 * The second step: requests for approval that verifiers share, and places in daily limits that are given back. As the first one, it is never
 * changed.
 */

import { MAX_SHARED_REQUEST, STATE_SCHEMA_NAME as SCHEMA } from './version.js';

/** As in the first step. */
const LOCK_CLASS = 1_095_323_987;
const KEPT_AT_LEAST = 600_000;
const AT_WORK = 30_000;

/** Requests that wait, of one agent and of all; the next is not kept. */
const MOST_PENDING = { agent: 20, all: 1000 } as const;
/** Answers to one request: each is a signed document of an approver, or was put there by somebody who stole a password. */
const MOST_ANSWERS = 64;
const DAY = 86_400_000;

const TABLES = `
SET LOCAL search_path = ${SCHEMA}, pg_catalog;

-- The public keys of the verifiers whose requests for approval count on all machines. The owner of the schema writes them.
CREATE TABLE verifiers (key text PRIMARY KEY, label text NOT NULL, enrolled bigint NOT NULL);

-- Requests for approval. The verifier that reads one judges its signature, and that of each answer.
CREATE TABLE requests (
  id text PRIMARY KEY,
  verifier text NOT NULL,
  action text NOT NULL,        -- hash of the action
  agent text NOT NULL,
  raised bigint NOT NULL,      -- ms since the epoch, as all times here
  expires bigint NOT NULL,     -- later than the document says while an approval is in force
  ttl bigint NOT NULL,
  denied bigint,               -- when a denial was handed in
  document text NOT NULL
);
CREATE INDEX requests_action ON requests (action);
CREATE INDEX requests_expires ON requests (expires);
CREATE TABLE answers (
  request text NOT NULL, digest bytea NOT NULL, at bigint NOT NULL, document text NOT NULL,
  PRIMARY KEY (request, digest)
);
ALTER TABLE spent_requests ADD COLUMN intent text;

-- What accepted intents were counted with, where it may be given back: to who shows the outcome token of the decision.
CREATE TABLE releasable (
  token bytea PRIMARY KEY,     -- SHA-256 of the token
  agent text NOT NULL, action int NOT NULL, at bigint NOT NULL, currency text NOT NULL, amount bigint NOT NULL,
  most numeric NOT NULL,       -- what may be given back to the agent within a day
  given bigint
);
CREATE INDEX releasable_given ON releasable (agent, currency, given);
CREATE INDEX releasable_at ON releasable (at);
`;

/** Requests as they are told, raised and answered. */
const REQUESTS = `
CREATE FUNCTION ${SCHEMA}.request_told(request_id text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_build_object('id', r.id, 'verifier', r.verifier, 'document', r.document, 'denied', r.denied,
    'spent', (SELECT jsonb_build_array(s.at, s.intent) FROM ${SCHEMA}.spent_requests s WHERE s.id = r.id),
    'answers', (SELECT coalesce(jsonb_agg(a.document ORDER BY a.at, a.digest), '[]') FROM ${SCHEMA}.answers a WHERE a.request = r.id))
  FROM ${SCHEMA}.requests r JOIN ${SCHEMA}.verifiers v ON v.key = r.verifier WHERE r.id = request_id
$$;

-- Called with the lock of the agent held, so that one action has one request.
CREATE FUNCTION ${SCHEMA}.raise_request(agent_id text, asks jsonb, asked_at bigint) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_id text;
  v_agent bigint;
  v_all bigint;
  v_ttl bigint := (asks->>'ttl')::bigint;
BEGIN
  SELECT r.id INTO v_id FROM ${SCHEMA}.requests r JOIN ${SCHEMA}.verifiers v ON v.key = r.verifier
  WHERE r.action = asks->>'action' AND r.agent = agent_id
    AND NOT EXISTS (SELECT FROM ${SCHEMA}.spent_requests s WHERE s.id = r.id)
    AND CASE WHEN r.denied IS NULL THEN r.expires > asked_at ELSE r.denied + r.ttl > asked_at END
  ORDER BY r.denied IS NULL DESC, r.raised DESC LIMIT 1;
  IF v_id = asks->>'id' THEN RETURN '{"kept": true}'; END IF;
  IF v_id IS NOT NULL THEN RETURN jsonb_build_object('found', ${SCHEMA}.request_told(v_id)); END IF;
  IF length(asks->>'document') > ${MAX_SHARED_REQUEST} OR v_ttl IS NULL OR v_ttl < 1
    OR NOT EXISTS (SELECT FROM ${SCHEMA}.verifiers v WHERE v.key = asks->>'verifier') THEN RETURN NULL; END IF;
  SELECT count(*) FILTER (WHERE r.agent = agent_id), count(*) INTO v_agent, v_all FROM ${SCHEMA}.requests r
  WHERE r.expires > asked_at AND r.denied IS NULL AND NOT EXISTS (SELECT FROM ${SCHEMA}.spent_requests s WHERE s.id = r.id);
  IF v_agent >= ${MOST_PENDING.agent} OR v_all >= ${MOST_PENDING.all} THEN
    RETURN jsonb_build_object('pending', jsonb_build_array(v_agent, v_all));
  END IF;
  INSERT INTO ${SCHEMA}.requests (id, verifier, action, agent, raised, expires, ttl, document)
  VALUES (asks->>'id', asks->>'verifier', asks->>'action', agent_id, asked_at, asked_at + v_ttl, v_ttl, asks->>'document');
  RETURN '{"kept": true}';
END $$;

CREATE FUNCTION ${SCHEMA}.answer_request(answer jsonb, now_ms bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_request record;
  v_until bigint := (answer->>'until')::bigint;
BEGIN
  SELECT r.id, r.ttl INTO v_request FROM ${SCHEMA}.requests r WHERE r.id = answer->>'request' FOR UPDATE;
  IF NOT FOUND OR length(answer->>'document') > ${MAX_SHARED_REQUEST} THEN RETURN; END IF;
  IF (SELECT count(*) FROM ${SCHEMA}.answers a WHERE a.request = v_request.id) >= ${MOST_ANSWERS} THEN RETURN; END IF;
  INSERT INTO ${SCHEMA}.answers (request, digest, at, document)
  VALUES (v_request.id, decode(answer->>'digest', 'hex'), now_ms, answer->>'document') ON CONFLICT DO NOTHING;
  IF v_until IS NULL THEN
    UPDATE ${SCHEMA}.requests r SET denied = now_ms WHERE r.id = v_request.id AND r.denied IS NULL;
  ELSE
    -- No approval counts for longer than that.
    UPDATE ${SCHEMA}.requests r SET expires = greatest(r.expires, least(v_until, now_ms + r.ttl)) WHERE r.id = v_request.id;
  END IF;
END $$;
`;

/** Takes an amount out of the sums that it was counted in; how often the agent acted stays as it is. */
const RELEASE = `
CREATE FUNCTION ${SCHEMA}.release(token text, now_ms bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_token bytea := sha256(convert_to(token, 'UTF8'));
  v_known record;
  v_given numeric;
BEGIN
  SELECT r.agent INTO v_known FROM ${SCHEMA}.releasable r WHERE r.token = v_token;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(v_known.agent));
  SELECT * INTO v_known FROM ${SCHEMA}.releasable r WHERE r.token = v_token;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  -- Asked again: what it was answered.
  IF v_known.given IS NOT NULL THEN RETURN 'released'; END IF;
  IF now_ms - v_known.at >= ${DAY} THEN RETURN 'late'; END IF;
  SELECT coalesce(sum(r.amount), 0) INTO v_given FROM ${SCHEMA}.releasable r
  WHERE r.agent = v_known.agent AND r.currency = v_known.currency AND r.given > now_ms - ${DAY};
  IF v_given + v_known.amount > v_known.most THEN RETURN 'most'; END IF;
  UPDATE ${SCHEMA}.releasable r SET given = now_ms WHERE r.token = v_token;
  UPDATE ${SCHEMA}.usages u SET amount = 0 WHERE u.ctid = (
    SELECT o.ctid FROM ${SCHEMA}.usages o WHERE o.action = v_known.action AND o.at = v_known.at AND o.currency = v_known.currency
      AND o.amount = v_known.amount LIMIT 1);
  IF NOT FOUND THEN
    UPDATE ${SCHEMA}.seconds s SET amount = s.amount - v_known.amount
    WHERE s.action = v_known.action AND s.at = v_known.at - v_known.at % 1000 + 999 AND s.currency = v_known.currency
      AND s.amount >= v_known.amount;
  END IF;
  UPDATE ${SCHEMA}.spans s SET amount = s.amount - v_known.amount
  WHERE s.action = v_known.action AND s.currency = v_known.currency AND s.amount >= v_known.amount
    AND ((s.span = 60000 AND s.start = v_known.at - v_known.at % 60000) OR (s.span = 3600000 AND s.start = v_known.at - v_known.at % 3600000));
  RETURN 'released';
END $$;

-- What of it nothing asks for any more.
CREATE FUNCTION ${SCHEMA}.prune_shared(now_ms bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(${LOCK_CLASS + 1}, 2) THEN RETURN; END IF;
  -- They hold params: a day after their end they are gone. That one was spent is remembered apart from them.
  WITH gone AS (
    DELETE FROM ${SCHEMA}.requests r WHERE r.id IN (
      SELECT o.id FROM ${SCHEMA}.requests o
      WHERE o.expires < now_ms - ${DAY} AND coalesce(o.denied + o.ttl, 0) < now_ms - ${DAY} LIMIT 64 FOR UPDATE SKIP LOCKED)
    RETURNING r.id
  ) DELETE FROM ${SCHEMA}.answers a USING gone WHERE a.request = gone.id;
  DELETE FROM ${SCHEMA}.releasable r WHERE r.token IN (
    SELECT o.token FROM ${SCHEMA}.releasable o
    WHERE o.at < now_ms - ${2 * DAY} AND coalesce(o.given, 0) < now_ms - ${2 * DAY} ORDER BY o.at LIMIT 512 FOR UPDATE SKIP LOCKED);
END $$;
`;

/** The function that verifiers call, as in the first step, with what is asked beside claims. */
const SETTLE = `
CREATE OR REPLACE FUNCTION ${SCHEMA}.settle(claims jsonb, about jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
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
  v_requests jsonb := '[]';
  v_released text;
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
    IF (v_claim->>'writes')::boolean AND NOT v_blocked AND jsonb_typeof(v_claim->'raises') = 'object' THEN
      v_answer := v_answer || jsonb_build_object('raised', ${SCHEMA}.raise_request(v_claim->>'agent', v_claim->'raises', v_at));
    END IF;
    IF v_as IS NOT NULL THEN
      INSERT INTO ${SCHEMA}.nonces (key, seen, kept, result, claim, answer) VALUES (v_key, v_now,
        greatest((v_claim->>'keep')::bigint, v_now + (v_claim->>'keep_ms')::bigint, v_now + ${KEPT_AT_LEAST}),
        nullif(v_as, 'accepted'), decode(v_claim->>'id', 'hex'), v_answer);
      IF NOT v_blocked AND jsonb_typeof(v_claim->'free'->'usage') = 'object' THEN
        PERFORM ${SCHEMA}.count_usage(v_claim->>'agent', v_claim->'free'->'usage', v_at);
        IF jsonb_typeof(v_claim->'free'->'release') = 'object' THEN
          INSERT INTO ${SCHEMA}.releasable (token, agent, action, at, currency, amount, most)
          SELECT decode(v_claim->'free'->'release'->>'token', 'hex'), a.agent, a.id, v_at, v_claim->'free'->'usage'->>'currency',
            (v_claim->'free'->'usage'->>'amount')::bigint, (v_claim->'free'->'release'->>'most')::numeric
          FROM ${SCHEMA}.actions a WHERE a.agent = v_claim->>'agent' AND a.name = v_claim->'free'->'usage'->>'action';
        END IF;
      END IF;
      IF NOT v_blocked AND v_claim->'free'->>'request' IS NOT NULL THEN
        INSERT INTO ${SCHEMA}.spent_requests (id, at, intent) VALUES (v_claim->'free'->>'request', v_now, v_claim->>'intent');
      END IF;
      v_spent := array_append(v_spent, jsonb_build_array(v_claim->'agent', v_claim->'intent', v_as));
    END IF;
    v_answers := array_append(v_answers, v_answer);
  END LOOP;

  PERFORM ${SCHEMA}.answer_request(a, v_now) FROM jsonb_array_elements(coalesce(about->'answers', '[]')) a;
  SELECT coalesce(jsonb_agg(t.told), '[]') INTO v_requests
  FROM (SELECT ${SCHEMA}.request_told(i) AS told FROM jsonb_array_elements_text(coalesce(about->'requests', '[]')) i) t WHERE t.told IS NOT NULL;
  IF about->>'release' IS NOT NULL THEN v_released := ${SCHEMA}.release(about->>'release', v_now); END IF;

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
    IF random() < 0.02 THEN PERFORM ${SCHEMA}.prune(v_now); PERFORM ${SCHEMA}.prune_shared(v_now); END IF;
  END IF;
  RETURN jsonb_build_object('now', v_now, 'schema', (SELECT max(v.version) FROM ${SCHEMA}.versions v), 'claims', to_jsonb(v_answers), 'open', v_open,
    'requests', v_requests, 'released', v_released,
    'enrolled', EXISTS (SELECT FROM ${SCHEMA}.verifiers v WHERE v.key = about->>'key'));
END $$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${SCHEMA} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ${SCHEMA} FROM PUBLIC;
`;

/** Requests and releases. */
export const SECOND_STEP: string = TABLES + REQUESTS + RELEASE + SETTLE;
