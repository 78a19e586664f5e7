/** The third step: an action is found by the words that a verifier of today splits its name into. As the others, it is never changed. */

import { STATE_SCHEMA_NAME as SCHEMA } from './version.js';

/** As in the first step. */
const HOT = 1000;

/** As in the first step; but what the name of an action was split into by an earlier version gives way with the next accepted intent. */
export const THIRD_STEP: string = `
CREATE OR REPLACE FUNCTION ${SCHEMA}.count_usage(agent_id text, usage jsonb, used_at bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_action int;
  v_stale boolean;
  v_busy bigint;
  v_amount bigint := coalesce((usage->>'amount')::bigint, 0);
  v_currency text := coalesce(usage->>'currency', '');
  v_cancels boolean := (usage->>'cancels')::boolean;
  v_words text := usage->>'words';
  v_starts text[] := ARRAY(SELECT jsonb_array_elements_text(usage->'starts'));
  v_ends text[] := ARRAY(SELECT jsonb_array_elements_text(usage->'ends'));
BEGIN
  IF v_amount < 0 THEN RAISE EXCEPTION 'an amount below zero is not counted'; END IF;
  SELECT a.id, (a.cancels, a.words, a.starts, a.ends) IS DISTINCT FROM (v_cancels, v_words, v_starts, v_ends) INTO v_action, v_stale
  FROM ${SCHEMA}.actions a WHERE a.agent = agent_id AND a.name = usage->>'action';
  IF v_action IS NULL THEN
    INSERT INTO ${SCHEMA}.actions (agent, name, cancels, words, starts, ends)
    VALUES (agent_id, usage->>'action', v_cancels, v_words, v_starts, v_ends)
    RETURNING id INTO v_action;
  ELSIF v_stale THEN
    UPDATE ${SCHEMA}.actions a SET cancels = v_cancels, words = v_words, starts = v_starts, ends = v_ends WHERE a.id = v_action;
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
