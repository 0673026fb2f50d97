import type { Migration } from '../../migrations.ts'

/**
 * The trace of an event's publisher. `accept_event` takes it too, as the last argument, which calls of an older process
 * leave out; the rest of the function is as `0008-outbox.ts` has it.
 */
export const traceContextMigration: Migration = {
  version: 15,
  name: 'trace context',
  oldestCompatible: 11,
  sql: String.raw`
-- JSON of traceparent and tracestate
alter table events add column trace_context text;
alter table outbox add column trace_context text;

drop function accept_event;
create function accept_event(
  store text, new_id uuid, tenant text, topic text, payload bytea, metadata jsonb, idempotency_key text,
  ordering_key text, deliver_at bigint, ttl_ms bigint, moment bigint, trace_context jsonb default null,
  out outcome text, out event_id text
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
  insert into outbox (id, tenant_id, topic, payload, payload_bytes, metadata, ordering_key, deliver_at,
                      created_at, trace_context)
  values (id, owner, topic, payload, octet_length(payload), nullif(nullif(metadata, 'null'), '{}')::text, ordering,
          deliver_at, moment, nullif(trace_context, 'null')::text);
  outcome := 'accepted';
  event_id := id_to_text('evt', id);
end $$;

do $$ begin
  execute format('alter function accept_event set search_path to %I, pg_temp', current_schema());
end $$;
`,
}
