import type { Migration } from '../../migrations.ts'

/** The rule of `core/text.ts` for what comes by SQL. Text of PostgreSQL holds neither NUL nor halves of pairs. */
export const textMigration: Migration = {
  version: 7,
  name: 'text',
  oldestCompatible: 1,
  sql: String.raw`
-- The payload's own text member "ordering_key"; null without one. Escapes that text cannot hold (\u0000, halves of
-- surrogate pairs) are JSON all the same: they become \u0001, which a payload may hold and an ordering key may not.
create or replace function payload_ordering_key(body text) returns text language plpgsql immutable as $$
declare
  document json := body::json;
begin
  -- its name may be written with escapes
  if strpos(body, 'ordering_key') = 0 and strpos(body, '\u') = 0 then return null; end if;
  if json_typeof(document) <> 'object' then return null; end if;
  begin
    return case json_typeof(document -> 'ordering_key') when 'string' then document ->> 'ordering_key' end;
  exception when untranslatable_character or invalid_text_representation then
    document := regexp_replace(replace(body, '\\', '\u005c'),
      '\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}',
      '\\u0001', 'g');
    return case json_typeof(document -> 'ordering_key') when 'string' then document ->> 'ordering_key' end;
  end;
end $$;

do $$
declare
  was text := pg_get_functiondef('check_event(text, bytea, jsonb, text, text)'::regprocedure);
begin
  was := replace(was, $old$'[\u0001-\u0020\u007f]'$old$, $new$'[\u0001-\u0020\u007f-\u009f]'$new$);
  execute replace(was, 'if given <> inside then', $new$if given ~ '[\u0001-\u001f\u007f-\u009f]' collate "C" then
    perform refuse_event('ordering_key must not hold control characters', 'give printable text, such as the id of the order');
  elsif inside ~ '[\u0001-\u001f\u007f-\u009f]' collate "C" then
    perform refuse_event('the payload''s member "ordering_key" must not hold NUL, other control characters or halves of surrogate pairs',
      'give printable text, such as the id of the order');
  end if;
  if given <> inside then$new$);

  -- What is refused aborts the transaction of whoever publishes by SQL, who reads the error. The library, which gives
  -- the event's id, gets it as an outcome, and its caller's transaction stays usable.
  was := pg_get_functiondef(
    'accept_event(text, uuid, text, text, bytea, jsonb, text, text, bigint, bigint)'::regprocedure);
  was := replace(was,
    'ordering constant text := check_event(topic, payload, nullif(metadata, ''null''), idempotency_key, ordering_key);',
    'ordering text;');
  execute regexp_replace(was, '\mbegin\M', $new$begin
  begin
    ordering := check_event(topic, payload, nullif(metadata, 'null'), idempotency_key, ordering_key);
  exception when invalid_parameter_value then
    if new_id is null then raise; end if;
    outcome := 'refused';
    event_id := sqlerrm;
    return;
  end;$new$);
end $$;
`,
}
