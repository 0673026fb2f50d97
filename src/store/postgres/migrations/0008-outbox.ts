import { acceptEventSql, publishFunctionsSql } from './outbox-functions.ts'

/**
 * Publishing inside a caller's transaction, of `0008-initial.ts`. The functions run with the rights of their owner, so
 * that a caller needs no more than `usage` on the schema; their search path is fixed at the end. Text is held to the rules
 * of `core/text.ts`; text of PostgreSQL holds neither NUL nor halves of pairs.
 */
export const outboxSql = String.raw`
insert into meta (name, value) values ('store_id', gen_random_uuid()::text) on conflict do nothing;

-- Rows live for about a second after their transaction has committed.
create table outbox (
  -- the order of fan-out: of two publishes that did not overlap the earlier one has the lower place, whichever
  -- machine's clock made the ids
  place bigint generated always as identity primary key,
  id uuid not null,
  tenant_id uuid not null,
  topic text not null,
  payload bytea not null,
  payload_bytes integer not null,
  metadata text,
  ordering_key text,
  created_at bigint not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);
create unique index outbox_id on outbox (id);

-- The store's time as far as SQL can tell it alone. Bound to what it names, whatever the caller's search path.
create function line_ms() returns bigint language sql stable
return server_ms() - coalesce((select (value::jsonb #>> '{line,steps,-1,offset}')::bigint from meta where name = 'time_line'), 0);

-- A UUIDv7 whose twelve bits after the version are the fraction of the millisecond: ids of one transaction keep
-- their order.
create function new_event_id() returns uuid language sql volatile as $$
  select encode(int8send((us / 1000 << 16) | x'7000'::bigint | us % 1000 * 4096 / 1000)
                || substring(uuid_send(gen_random_uuid()) from 9), 'hex')::uuid
  from (select floor(extract(epoch from clock_timestamp()) * 1000000)::bigint as us) clock
$$;

-- An id as text: prefix, "_", and 26 digits of base32 over the 128 bits and two leading zeros.
create function id_to_text(prefix text, id uuid) returns text language sql immutable strict as $$
  select prefix || '_' || string_agg(
    substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + substring(bits from 5 * digit + 1 for 5)::bit(5)::integer, 1),
    '' order by digit)
  from (select B'00' || ('x' || replace(id::text, '-', ''))::bit(128) as bits) b, generate_series(0, 25) digit
$$;

-- Null when the text is no id of that prefix.
create function id_from_text(prefix text, id text) returns uuid language sql immutable strict as $$
  select encode(int8send(substring(bits from 3 for 64)::bit(64)::bigint)
                || int8send(substring(bits from 67)::bit(64)::bigint), 'hex')::uuid
  from (
    select string_agg((strpos('0123456789abcdefghjkmnpqrstvwxyz', digit) - 1)::bit(5)::text, '' order by place)::bit(130)
      as bits
    from regexp_split_to_table(substr(id, length(prefix) + 2), '') with ordinality d (digit, place)
  ) b
  where id ~ ('^' || prefix || '_[0-7][0-9a-hjkmnp-tv-z]{25}$') collate "C"
$$;

create function refuse_event(problem text, advice text) returns void language plpgsql as $$
begin
  raise exception using errcode = 'invalid_parameter_value', message = problem, hint = advice;
end $$;

-- The payload's own text member "ordering_key"; null without one. Escapes that text cannot hold (\u0000, halves of
-- surrogate pairs) are JSON all the same: they become \u0001, which a payload may hold and an ordering key may not.
create function payload_ordering_key(body text) returns text language plpgsql immutable as $$
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

create function check_metadata(metadata jsonb) returns void language plpgsql as $$
declare
  entry record;
  content text;
  advice constant text := 'metadata is an object of at most 16 short strings such as {"source": "shop"}';
begin
  if jsonb_typeof(metadata) <> 'object' then
    perform refuse_event('metadata must be an object of short strings', advice);
  end if;
  if (select count(*) from jsonb_object_keys(metadata)) > 16 then
    perform refuse_event('metadata has more than 16 members', advice);
  end if;
  for entry in select key, value from jsonb_each(metadata) loop
    if entry.key !~ '^[a-z0-9_-]{1,64}$' collate "C" then
      perform refuse_event(format('metadata has the name "%s"', left(entry.key, 64)),
        'names are 1 to 64 of a-z, 0-9, "_" and "-"');
    end if;
    content := entry.value #>> '{}';
    if jsonb_typeof(entry.value) <> 'string' then
      perform refuse_event(format('metadata.%s must be a string', entry.key), advice);
    elsif octet_length(convert_to(content, 'UTF8')) > 256 then
      perform refuse_event(format('metadata.%s must be at most 256 bytes of UTF-8', entry.key), advice);
    elsif content ~ '[\u0001-\u001f\u007f-\u009f]' collate "C" then
      perform refuse_event(format('metadata.%s must not hold control characters', entry.key), advice);
    elsif content ~ '^[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]$' collate "C" then
      perform refuse_event(format('metadata.%s must not begin or end with a space', entry.key), advice);
    end if;
  end loop;
end $$;

-- The rules of every other way to publish; the answer is the event's ordering key.
create function check_event(topic text, payload bytea, metadata jsonb, idempotency_key text, ordering_key text)
returns text language plpgsql as $$
declare
  body text;
  given text := nullif(ordering_key, '');
  inside text;
  problem text;
begin
  problem := case
    when coalesce(topic, '') = '' then 'topic must not be empty'
    when octet_length(convert_to(topic, 'UTF8')) > 255 then 'topic must be at most 255 bytes of UTF-8'
    when topic ~ '[\u0001-\u0020\u007f-\u009f]' collate "C" then 'topic must not hold spaces or control characters'
    when strpos(topic, '*') > 0 then 'topic must not hold "*", which only patterns have'
  end;
  if problem is not null then perform refuse_event(problem, 'write it like "orders.created"'); end if;
  if payload is null then
    perform refuse_event('payload must not be null', 'the JSON value null is the text null');
  elsif octet_length(payload) > 262144 then
    perform refuse_event('payload is capped at 256KB', 'send what is large as a link in the payload');
  end if;
  begin
    body := convert_from(payload, 'UTF8');
    inside := nullif(payload_ordering_key(body), '');
  exception
    when character_not_in_repertoire or untranslatable_character then
      perform refuse_event('payload is not UTF-8', 'send JSON encoded as UTF-8');
    when invalid_text_representation then
      get stacked diagnostics problem = pg_exception_detail;
      perform refuse_event('payload is not JSON: ' || problem, 'send one JSON value, such as {"id": "o_1"}');
    when statement_too_complex then
      perform refuse_event('payload is nested too deeply', 'nest it less, or raise max_stack_depth of the server');
  end;
  if metadata is not null then perform check_metadata(metadata); end if;
  if idempotency_key is not null
    and (octet_length(convert_to(idempotency_key, 'UTF8')) not between 1 and 255
      or idempotency_key ~ '[\u0001-\u001f\u007f-\u009f]' collate "C") then
    perform refuse_event('the idempotency key must be 1 to 255 bytes of printable text',
      'leave it out, or give one per business change, such as the id of the order');
  end if;
  if given ~ '[\u0001-\u001f\u007f-\u009f]' collate "C" then
    perform refuse_event('ordering_key must not hold control characters', 'give printable text, such as the id of the order');
  elsif inside ~ '[\u0001-\u001f\u007f-\u009f]' collate "C" then
    perform refuse_event('the payload''s member "ordering_key" must not hold NUL, other control characters or halves of surrogate pairs',
      'give printable text, such as the id of the order');
  end if;
  if given <> inside then
    perform refuse_event('ordering_key and the payload''s member "ordering_key" differ', 'give one of them');
  end if;
  if octet_length(convert_to(coalesce(given, inside), 'UTF8')) > 256 then
    perform refuse_event('ordering_key exceeds 256 bytes', 'give a shorter one, such as the id of the order');
  end if;
  return coalesce(given, inside);
end $$;

${acceptEventSql([])}
${publishFunctionsSql({ hasTime: false })}`
