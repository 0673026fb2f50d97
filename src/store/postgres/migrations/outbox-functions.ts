/** The functions of the outbox, which migrations make anew when an event can say more inside a caller's transaction. */

/** What `accept_event` keeps besides: its last parameters, which calls of an older process leave out. */
export interface AcceptedColumn {
  readonly column: string
  /** Null: it is no parameter, but worked out from the others. */
  readonly type: string | null
  /** SQL: of the parameters, as the outbox keeps it. */
  readonly kept: string
}

export function acceptEventSql(added: readonly AcceptedColumn[]): string {
  const parameters = added
    .map(({ column, type }) => (type === null ? '' : `${column} ${type} default null, `))
    .join('')
  const columns = added.map(({ column }) => `, ${column}`).join('')
  const values = added.map(({ kept }) => `, ${kept}`).join('')
  return String.raw`
-- Puts an event into the outbox, in the transaction of whoever calls. Outcomes: accepted; replayed and conflict, with
-- the id of the event that used the key before; held: another open transaction has used it; other_store: the caller
-- is connected to another database than it thinks. Only the first one writes anything.
-- No lock is taken that others could want, but for the key's.
create function accept_event(
  store text, new_id uuid, tenant text, topic text, payload bytea, metadata jsonb, idempotency_key text,
  ordering_key text, ttl_ms bigint, moment bigint, ${parameters}out outcome text, out event_id text
) language plpgsql security definer set lock_timeout = '2s' as $$
declare
  owner constant uuid :=
    case when tenant is null then '00000000-0000-0000-0000-000000000000' else id_from_text('ten', tenant) end;
  ordering text;
  id constant uuid := coalesce(new_id, new_event_id());
  content bytea;
  known record;
begin
  -- What is refused aborts the transaction of whoever publishes by SQL, who reads the error. The library, which gives
  -- the event's id, gets it as an outcome, and its caller's transaction stays usable.
  begin
    ordering := check_event(topic, payload, nullif(metadata, 'null'), idempotency_key, ordering_key);
  exception when invalid_parameter_value then
    if new_id is null then raise; end if;
    outcome := 'refused';
    event_id := sqlerrm;
    return;
  end;
  if store is distinct from (select value from meta where name = 'store_id') then
    outcome := 'other_store';
    return;
  end if;
  if not exists (select from tenants t where t.id = owner) then
    perform refuse_event(format('there is no tenant %s', tenant), 'leave it out, or give the id of a tenant, ten_…');
  end if;
  content := sha256(convert_to(topic, 'UTF8') || '\x00' || payload || '\x00'
                    || convert_to(coalesce(ordering, ''), 'UTF8'));
  while idempotency_key is not null loop
    -- Looked at first: the insert would lock a record that stands, and whoever uses the key next would wait.
    select k.hash, k.event_id into known from idempotency_keys k
    where k.tenant_id = owner and k.scope = '' and k.key = idempotency_key and k.expires_at > moment;
    if found then
      outcome := case when known.hash = content then 'replayed' else 'conflict' end;
      event_id := id_to_text('evt', known.event_id);
      return;
    end if;
    begin
      insert into idempotency_keys as k (tenant_id, scope, key, hash, event_id, expires_at)
      values (owner, '', idempotency_key, content, id, moment + ttl_ms)
      on conflict (tenant_id, scope, key) do update
        set hash = excluded.hash, event_id = excluded.event_id, expires_at = excluded.expires_at
        where k.expires_at <= moment;
      exit when found;
    exception when lock_not_available then
      outcome := 'held';
      return;
    end;
  end loop;
  insert into outbox (id, tenant_id, topic, payload, payload_bytes, metadata, ordering_key, created_at${columns})
  values (id, owner, topic, payload, octet_length(payload), nullif(nullif(metadata, 'null'), '{}')::text, ordering,
          moment${values});
  outcome := 'accepted';
  event_id := id_to_text('evt', id);
end $$;

do $$ begin
  execute format('alter function accept_event set search_path to %I, pg_temp', current_schema());
end $$;
`
}

/** SQL: what `core/trace-context.ts` reads of the headers of a request, in the database itself. */
export const readTraceContextSql = String.raw`
create function read_trace_context(traceparent text, tracestate text) returns jsonb
language plpgsql immutable as $$
declare
  parts constant text[] := regexp_match(btrim(traceparent, E' \t\r\n'),
    '^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[^\n\r]*)?$');
  state constant text := btrim(tracestate, E' \t\r\n');
begin
  if parts is null or parts[1] = 'ff' or (parts[1] = '00' and parts[5] is not null)
    or parts[2] ~ '^0+$' or parts[3] ~ '^0+$' then
    return null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'traceparent', format('00-%s-%s-%s', parts[2], parts[3], parts[4]),
    'tracestate', case when length(state) <= 512 and state ~ '^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$' then state end));
end $$;

do $$ begin
  execute format('alter function read_trace_context set search_path to %I, pg_temp', current_schema());
end $$;
`

interface PublishFunctions {
  /** They take the time before which no delivery is made. */
  readonly hasTime: boolean
  /** They take W3C's trace context, as two texts. */
  readonly hasTrace?: boolean
}

export function publishFunctionsSql({ hasTime, hasTrace = false }: PublishFunctions): string {
  const ifTraced = (sql: string): string => (hasTrace ? sql : '')
  const ifTimed = (sql: string): string => (hasTime ? sql : '')
  const types = `text, bytea, text, jsonb, text, text${ifTimed(', timestamptz')}${ifTraced(', text, text')}`
  const timeParameter = ifTimed(', deliver_at timestamptz default null')
  const timePassed = ifTimed(', deliver_at')
  const traceParameters = ifTraced(', traceparent text default null, tracestate text default null')
  const tracePassed = ifTraced(', traceparent, tracestate')
  const traceArgument = ifTraced(`,
    trace_context => read_trace_context(traceparent, tracestate)`)
  const timeVariable = ifTimed('  waits constant interval := deliver_at - clock_timestamp();\n')
  const timeCheck = ifTimed(`  if waits > interval '366 days' then
    perform refuse_event('deliver_at is more than 366 days ahead', 'publish it later, or give an earlier time');
  end if;
`)
  const timeArgument = ifTimed(`,
    deliver_at => case when waits > interval '0' then line_ms() + ceil(extract(epoch from waits) * 1000)::bigint end`)
  return `
create function publish(
  topic text, payload bytea, idempotency_key text default null, metadata jsonb default null,
  ordering_key text default null, tenant text default null${timeParameter}${traceParameters}
) returns text language plpgsql security definer as $$
declare
  answer record;
${timeVariable}begin
${timeCheck}  select * into answer from accept_event((select value from meta where name = 'store_id'), null, tenant, topic,
    payload, metadata, idempotency_key, ordering_key,
    coalesce((select value::bigint from meta where name = 'idempotency_ttl_ms'), 86400000), line_ms()${timeArgument}${traceArgument});
  case answer.outcome
    when 'conflict' then
      raise exception using errcode = 'unique_violation',
        message = format('idempotency key "%s" was used before, for another event: %s', idempotency_key, answer.event_id),
        hint = 'the same key with the same topic, payload and ordering key gives the first event again; '
          || 'use another key for another event';
    when 'held' then
      raise exception using errcode = 'lock_not_available',
        message = format('idempotency key "%s" is in use by another transaction that is still open', idempotency_key),
        hint = 'roll back and try again once that transaction has ended';
    else return answer.event_id;
  end case;
end $$;
comment on function publish(${types}) is
  'Publishes an event if and when this transaction commits. The payload is JSON, at most 256 KiB, delivered byte for byte. Returns the event''s id.';

-- Bound to the function above, whatever the caller's search path.
create function publish(
  topic text, payload text, idempotency_key text default null, metadata jsonb default null,
  ordering_key text default null, tenant text default null${timeParameter}${traceParameters}
) returns text language sql volatile
return publish(topic, convert_to(payload, 'UTF8'), idempotency_key, metadata, ordering_key, tenant${timePassed}${tracePassed});

create function publish(
  topic text, payload json, idempotency_key text default null, metadata jsonb default null,
  ordering_key text default null, tenant text default null${timeParameter}${traceParameters}
) returns text language sql volatile
return publish(topic, convert_to(payload::text, 'UTF8'), idempotency_key, metadata, ordering_key, tenant${timePassed}${tracePassed});

do $$ begin
  execute format('alter function publish(${types}) set search_path to %I, pg_temp', current_schema());
end $$;
`
}
