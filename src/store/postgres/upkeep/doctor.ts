/** Examines a PostgreSQL store from one connection: the server, the schema, and (`doctor-health.ts`) how it lives. */
import type { ClientBase } from 'pg'
import { type Finding, judgeMasterKey, judgeSchema, ok, problem, seconds, warning } from '../../finding.ts'
import { connectionsPerNode } from '../connection/lanes.ts'
import { planPostgres, quoteName } from '../connection/schema.ts'
import { withConnection } from '../connection/single-connection.ts'
import { toStoreError } from '../connection/store-error.ts'
import type { Check, PostgresExamination, Subject } from './doctor-check.ts'
import { checkExpunged } from './doctor-expunged.ts'
import { healthChecks } from './doctor-health.ts'

/** No check waits for longer, as for a lock. */
const statementTimeoutMs = 30_000
/** Likewise of a brief one, for which somebody waits. */
const briefTimeoutMs = 2_000
/** Those that a brief examination leaves out. */
export const lengthyChecks: readonly string[] = ['ordered keys', 'expunged']
const oldestServer = 15
const newestServer = 18

/** Never rejects: a server that cannot be reached is a finding too. */
export async function examinePostgres(options: PostgresExamination): Promise<readonly Finding[]> {
  try {
    return await withConnection(options, (client) => examine(client, options))
  } catch (error) {
    return [problem('connection', toStoreError(error).message, 'check the URL, the network and the server')]
  }
}

async function examine(client: ClientBase, options: PostgresExamination): Promise<readonly Finding[]> {
  const { isBrief = false } = options
  await client.query(`set statement_timeout to ${isBrief ? briefTimeoutMs : statementTimeoutMs}`)
  const query = async <Row>(_name: string | null, text: string, values: readonly unknown[]) =>
    (await client.query(text, [...values])).rows as readonly Row[]
  const subject: Subject = { ...options, client, query }
  const findings: Finding[] = []
  for (const [name, check] of serverChecks) findings.push(...(await guarded(name, check, subject)))
  const schema = await schemaFinding(subject)
  findings.push(schema.finding)
  if (!schema.isThere) return findings
  for (const [name, check] of [...storeChecks, ...healthChecks]) {
    if (isBrief && lengthyChecks.includes(name)) continue
    findings.push(...(await guarded(name, check, subject)))
  }
  return findings
}

/** The statement took longer than it may. */
const cancelled = '57014'

async function guarded(name: string, check: Check, subject: Subject): Promise<readonly Finding[]> {
  try {
    return await check(subject)
  } catch (error) {
    const found = `cannot be looked at: ${error instanceof Error ? error.message : error}`
    if ((error as { readonly code?: unknown }).code === cancelled) {
      return [warning(name, found, 'run "outhook doctor", which waits for longer, in a quiet hour')]
    }
    return [warning(name, found, 'grant the role what is missing; pg_monitor lets it see all of the server')]
  }
}

async function schemaFinding(subject: Subject): Promise<{ finding: Finding; isThere: boolean }> {
  try {
    const change = await planPostgres(subject.client, subject.schema)
    return { finding: judgeSchema(change), isThere: change.from > 0 }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const advice =
      'run a newer Outhook if it asks for one; else give another schema, or go on with the one that made it'
    return { finding: problem('schema', message, advice), isThere: true }
  }
}

const serverChecks: readonly (readonly [string, Check])[] = [
  ['version', checkVersion],
  ['writable', checkWritable],
  ['durability', checkDurability],
  ['clock', checkClock],
  ['connections', checkConnections],
]

const storeChecks: readonly (readonly [string, Check])[] = [
  ['integrity', checkChecksums],
  ['privileges', checkPrivileges],
  ['master key', checkMasterKey],
  ['expunged', checkExpunged],
]

async function checkVersion({ query }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ version: string }>(
    null,
    `select current_setting('server_version') as version`,
    [],
  )
  const version = row?.version ?? '?'
  const major = Number.parseInt(version, 10)
  if (major < oldestServer) {
    return [problem('version', `PostgreSQL ${version}`, `use PostgreSQL ${oldestServer} or newer`)]
  }
  if (major > newestServer) {
    const advice = `Outhook is tested up to ${newestServer}; try it on a copy first`
    return [warning('version', `PostgreSQL ${version}`, advice)]
  }
  return [ok('version', `PostgreSQL ${version}`)]
}

async function checkWritable({ query }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ standby: boolean; read_only: string }>(
    null,
    `select pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') as read_only`,
    [],
  )
  if (row?.standby === true) {
    return [problem('writable', 'this is a standby', 'give the address of the primary')]
  }
  if (row?.read_only === 'on') {
    const advice = 'switch it off for this role and database, or give the address of the primary'
    return [problem('writable', 'default_transaction_read_only is on', advice)]
  }
  return [ok('writable', 'yes')]
}

/** What the server has noticed so far while it read; where it keeps no checksums it notices nothing. */
async function checkChecksums({ query }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ failures: string | null }>(
    null,
    'select checksum_failures as failures from pg_stat_database where datname = current_database()',
    [],
  )
  const failures = Number(row?.failures ?? 0)
  if (failures === 0) return []
  const advice =
    'look into the log of the server, check its disk, and restore a backup; pg_amcheck says what is damaged'
  return [problem('integrity', `${failures} pages have failed their checksum`, advice)]
}

async function checkDurability({ query }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ fsync: string; pages: string; commit: string; set_to: string }>(
    null,
    `select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
            current_setting('synchronous_commit') as commit, set_config('synchronous_commit', 'on', false) as set_to`,
    [],
  )
  const { fsync, pages, commit, set_to } = row ?? { fsync: '?', pages: '?', commit: '?', set_to: '?' }
  return [
    fsync === 'on'
      ? ok('fsync', 'on')
      : problem('fsync', fsync, 'switch it on: a power cut loses acknowledged events, or the whole database'),
    pages === 'on'
      ? ok('full_page_writes', 'on')
      : problem(
          'full_page_writes',
          pages,
          'switch it on, unless the file system writes whole pages or nothing (ZFS does)',
        ),
    judgeCommit(commit, set_to),
  ]
}

function judgeCommit(given: string, accepted: string): Finding {
  const check = 'synchronous_commit'
  if (accepted !== 'on') {
    return problem(check, accepted, 'connect to the server itself, or through a pool in session mode')
  }
  if (given !== 'off') return ok(check, given)
  return warning(
    check,
    'off for this role; Outhook switches it on for itself',
    'switch it on for programs that publish in transactions of their own',
  )
}

const skewWarningMs = 2000
const skewProblemMs = 60_000

async function checkClock({ query, now }: Subject): Promise<readonly Finding[]> {
  let best = { skewMs: 0, roundTripMs: Number.POSITIVE_INFINITY }
  for (let sample = 0; sample < 5; sample++) {
    const before = now()
    const [row] = await query<{ ms: number }>(
      null,
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
      [],
    )
    const after = now()
    const roundTripMs = after - before
    if (roundTripMs < best.roundTripMs) best = { skewMs: (row?.ms ?? 0) - (before + after) / 2, roundTripMs }
  }
  const skewMs = Math.abs(best.skewMs)
  const found = `this machine is ${seconds(skewMs)} ${best.skewMs > 0 ? 'behind' : 'ahead of'} the server (give or take ${seconds(best.roundTripMs / 2)})`
  const advice = 'let NTP keep both; signatures carry the time of this machine, and receivers refuse old ones'
  if (skewMs >= skewProblemMs) return [problem('clock', found, advice)]
  return [skewMs >= skewWarningMs ? warning('clock', found, advice) : ok('clock', found)]
}

async function checkConnections({ query, processes }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ allowed: number; used: number; ours: number }>(
    null,
    `select least(
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0),
       (select nullif(datconnlimit, -1) from pg_database where datname = current_database()),
       (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)) as allowed,
     (select sum(numbackends) from pg_stat_database)::int as used,
     (select count(*) from pg_stat_activity where application_name like 'outhook %')::int - 1 as ours`,
    [],
  )
  const { allowed, used, ours } = row ?? { allowed: 0, used: 0, ours: 0 }
  const need = processes * connectionsPerNode
  const found =
    `${used} of ${allowed} in use, ${ours} of them by Outhook; ` +
    `${processes === 1 ? 'a process takes' : `${processes} processes take`} up to ${need}`
  const advice = `raise max_connections, or the limit of the role or database: ${connectionsPerNode} for each process of all nodes, and what others need`
  if (need > allowed) return [problem('connections', found, advice)]
  const isShort = need > allowed - (used - ours) || used > allowed * 0.8
  return [isShort ? warning('connections', found, advice) : ok('connections', found)]
}

async function checkPrivileges({ query, schema }: Subject): Promise<readonly Finding[]> {
  const [row] = await query<{ role: string; usage: boolean; lacking: string | null; owns: boolean }>(
    null,
    `select current_user::text as role, has_schema_privilege(n.oid, 'usage') as usage,
       (select string_agg(c.relname::text, ', ' order by c.relname) from pg_class c
        where c.relnamespace = n.oid and c.relkind = 'r' and c.relname <> 'schema_migrations'
          and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
               and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))) as lacking,
       has_schema_privilege(n.oid, 'create') and not exists (
         select 1 from pg_class c where c.relnamespace = n.oid and c.relkind = 'r'
           and not pg_has_role(c.relowner, 'usage')) as owns
     from pg_namespace n where n.nspname = $1`,
    [schema],
  )
  const { role, usage, lacking, owns } = row ?? { role: '?', usage: false, lacking: null, owns: false }
  const name = quoteName(schema)
  if (!usage || lacking !== null) {
    return [
      problem(
        'privileges',
        usage ? `${role} may not read and write ${lacking}` : `${role} may not use the schema`,
        `grant usage on schema ${name} to ${quoteName(role)}; grant select, insert, update, delete on all tables in schema ${name} to ${quoteName(role)}`,
      ),
    ]
  }
  return [
    ok(
      'privileges',
      owns
        ? `${role} may read, write and migrate`
        : `${role} may read and write, not migrate; before an upgrade run "outhook migrate" as the owner`,
    ),
  ]
}

async function checkMasterKey(subject: Subject): Promise<readonly Finding[]> {
  const [row] = await subject.query<{ value: string }>(
    null,
    `select value from meta where name = 'master_key_check'`,
    [],
  )
  return [judgeMasterKey(row?.value ?? null, subject)]
}
