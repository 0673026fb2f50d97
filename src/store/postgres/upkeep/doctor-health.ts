/** How a PostgreSQL store lives: vacuum and what holds it up, replication, backlog. */
import { createIdFactory } from '../../../core/ids.ts'
import { resumeTimeLine } from '../../../core/time-line.ts'
import {
  type Finding,
  judgeBacklog,
  judgeClock,
  judgeOrderedKeys,
  mebibytes,
  ok,
  problem,
  type StuckLines,
  seconds,
  warning,
} from '../../finding.ts'
import { parseSavedTime } from '../../saved-time.ts'
import { readServerTime } from '../connection/server-time-row.ts'
import { stuckLinesSql } from '../ordering/repair.ts'
import { counts } from '../read/counts.ts'
import type { Check, Subject } from './doctor-check.ts'

export const healthChecks: readonly (readonly [string, Check])[] = [
  ['autovacuum', checkAutovacuum],
  ['dead rows', checkTables],
  ['open transactions', checkTransactions],
  ['prepared transactions', checkPrepared],
  ['replication slots', checkSlots],
  ['backlog', checkBacklog],
  ['ordered keys', checkOrderedKeys],
]

const defaultOldMs = 300_000

/** In a store that has them. */
async function checkOrderedKeys({ query }: Subject): Promise<readonly Finding[]> {
  const [table] = await query<{ found: string | null }>(
    null,
    `select to_regclass('ordered_keys')::text as found`,
    [],
  )
  if (table?.found == null) return []
  const [lines] = await query<StuckLines>(null, stuckLinesSql, [])
  return lines === undefined ? [] : [judgeOrderedKeys(lines)]
}

async function checkAutovacuum({ query, schema }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ server: boolean; off: string | null }>(
    null,
    `select current_setting('autovacuum')::bool and current_setting('track_counts')::bool as server,
       (select string_agg(c.relname::text, ', ' order by c.relname)
        from pg_class c, pg_options_to_table(c.reloptions) o
        where c.relnamespace = to_regnamespace($1) and o.option_name = 'autovacuum_enabled'
          and not o.option_value::bool) as off`,
    [`"${schema.replaceAll('"', '""')}"`],
  )
  if (row?.server !== true) {
    const advice = 'switch autovacuum and track_counts on: claims get slower with every delivery without them'
    return [problem('autovacuum', 'off on this server', advice)]
  }
  if (row.off !== null) {
    return [problem('autovacuum', `off for ${row.off}`, 'alter table … reset (autovacuum_enabled)')]
  }
  return [ok('autovacuum', 'on')]
}

interface TableRow {
  readonly name: string
  readonly live: number
  readonly dead: number
  readonly threshold: number
  readonly vacuumed_ms: number | null
  readonly bytes: number
}

/** An autovacuum that has enough to do comes within a minute or two. */
const vacuumLateMs = 600_000
/** Their rows come and go, and are far smaller than this, indexes and all. */
const shortLived = [
  'live_deliveries',
  'handoffs',
  'ready_endpoints',
  'delivery_counts',
  'stats_deltas',
  'idempotency_keys',
  'outbox',
]
const roomyBytesPerRow = 10_000
const roomyFromBytes = 256 * 2 ** 20

async function checkTables({ query, schema }: Subject): Promise<readonly Finding[]> {
  const tables = await query<TableRow>(
    null,
    `select c.relname::text as name, s.n_live_tup as live, s.n_dead_tup as dead,
       coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
         + coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor')::float8)
           * greatest(c.reltuples, 0) as threshold,
       (extract(epoch from now() - greatest(s.last_vacuum, s.last_autovacuum)) * 1000)::float8 as vacuumed_ms,
       pg_total_relation_size(c.oid) as bytes
     from pg_stat_user_tables s join pg_class c on c.oid = s.relid,
       lateral (select max(option_value) filter (where option_name = 'autovacuum_vacuum_threshold')::float8 as threshold,
                       max(option_value) filter (where option_name = 'autovacuum_vacuum_scale_factor')::float8 as scale
                from pg_options_to_table(c.reloptions)) o
     where s.schemaname = $1 order by s.n_dead_tup desc`,
    [schema],
  )
  const late = tables.filter(
    ({ dead, threshold, vacuumed_ms }) => dead > 2 * threshold && (vacuumed_ms ?? Infinity) > vacuumLateMs,
  )
  const roomy = tables.filter(
    ({ name, live, bytes }) =>
      shortLived.includes(name) && bytes > roomyFromBytes && bytes > live * roomyBytesPerRow,
  )
  const findings = [...late.map(tooManyDead), ...roomy.map(tooRoomy)]
  const worst = tables[0]
  if (findings.length > 0 || worst === undefined) return findings
  return [ok('dead rows', `at most ${worst.dead}, in ${worst.name}`)]
}

function tooManyDead({ name, live, dead, vacuumed_ms }: TableRow): Finding {
  const vacuumed = vacuumed_ms === null ? 'never vacuumed' : `vacuumed ${seconds(vacuumed_ms)} ago`
  return warning(
    'dead rows',
    `${name} has ${dead} dead rows beside ${live} live ones, ${vacuumed}`,
    'see below for old transactions, prepared ones and slots, which keep dead rows; else give autovacuum more workers',
  )
}

function tooRoomy({ name, live, bytes }: TableRow): Finding {
  return warning(
    'table size',
    `${name} takes ${mebibytes(bytes)} for ${live} rows`,
    `in a quiet hour: reindex table concurrently ${name}, and if that is not enough vacuum full ${name}, which locks it`,
  )
}

async function checkTransactions({ query, oldMs = defaultOldMs }: Subject): Promise<readonly Finding[]> {
  const [hidden] = await query<{ sessions: number }>(
    null,
    `select count(*)::int as sessions from pg_stat_activity where query = '<insufficient privilege>'`,
    [],
  )
  const [oldest] = await query<{ pid: number; who: string; state: string; ms: number }>(
    null,
    `select pid, coalesce(usename::text, '?') || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || ')' as who,
       coalesce(state, backend_type) as state,
       (extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as ms
     from pg_stat_activity
     where xact_start is not null and (backend_xmin is not null or backend_xid is not null)
       and pid <> pg_backend_pid()
     order by xact_start limit 1`,
    [],
  )
  const findings: Finding[] = []
  if ((hidden?.sessions ?? 0) > 0) {
    const found = `${hidden?.sessions} sessions of other roles cannot be seen`
    findings.push(warning('open transactions', found, 'grant pg_read_all_stats to the role'))
  }
  if (oldest === undefined) return [...findings, ok('open transactions', 'none')]
  const found = `the oldest is open for ${seconds(oldest.ms)}: ${oldest.who}, ${oldest.state}, pid ${oldest.pid}`
  const advice = `dead rows of every table stay while it is open; end it, or select pg_terminate_backend(${oldest.pid})`
  const isOld = oldest.ms > oldMs
  return [...findings, isOld ? warning('open transactions', found, advice) : ok('open transactions', found)]
}

async function checkPrepared({ query, oldMs = defaultOldMs }: Subject): Promise<readonly Finding[]> {
  const [oldest] = await query<{ gid: string; ms: number }>(
    null,
    `select gid, (extract(epoch from clock_timestamp() - prepared) * 1000)::float8 as ms
     from pg_prepared_xacts where database = current_database() order by prepared limit 1`,
    [],
  )
  if (oldest === undefined) return [ok('prepared transactions', 'none')]
  const found = `"${oldest.gid}" is prepared for ${seconds(oldest.ms)}`
  if (oldest.ms <= oldMs) return [ok('prepared transactions', found)]
  const advice = `it keeps its locks and all dead rows: commit prepared '${oldest.gid}' or rollback prepared '${oldest.gid}'`
  return [problem('prepared transactions', found, advice)]
}

const slotLagBytes = 2 ** 30

async function checkSlots({ query }: Subject): Promise<readonly Finding[]> {
  const slots = await query<{ name: string; active: boolean; wal_status: string | null; lag: number | null }>(
    null,
    `select slot_name::text as name, active, wal_status,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as lag
     from pg_replication_slots order by lag desc nulls first`,
    [],
  )
  const bad = slots.filter(({ active, lag }) => !active || (lag ?? 0) > slotLagBytes)
  if (bad.length === 0) {
    return [ok('replication slots', slots.length === 0 ? 'none' : `${slots.length}, none of them behind`)]
  }
  return bad.map(({ name, active, wal_status, lag }) => {
    const state = `${active ? 'active' : 'inactive'}${wal_status === null ? '' : `, its WAL ${wal_status}`}`
    const found = `${name} is ${state}, ${mebibytes(lag ?? 0)} behind`
    const advice = `it keeps WAL, and dead rows if it has an xmin; bring its reader back, or select pg_drop_replication_slot('${name}')`
    return warning('replication slots', found, advice)
  })
}

async function checkBacklog({ query }: Subject): Promise<readonly Finding[]> {
  const { wall, saved } = await readServerTime({ query })
  const time = parseSavedTime(saved)
  const { line, now } = resumeTimeLine(time, wall)
  return [
    judgeBacklog(await counts({ query, moment: now, line, ids: createIdFactory(() => now) })),
    judgeClock(time, wall, 'clock of the server'),
  ]
}
