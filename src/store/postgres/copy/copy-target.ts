/** A PostgreSQL store that another one is copied into. */
import { OuthookError } from '../../../core/errors.ts'
import { createIdFactory } from '../../../core/ids.ts'
import { newTimeLine } from '../../../core/time-line.ts'
import { copiedTables, countSql } from '../../copied-tables.ts'
import {
  type CopyCount,
  type CopyPosition,
  type CopyTarget,
  copyIdName,
  type MetaEntries,
  unfinishedCopyName,
} from '../../copy.ts'
import { blockedUntil } from '../claim/ready-endpoints.ts'
import { Database, type DatabaseOptions, type Session } from '../connection/database.ts'
import { quoteName } from '../connection/schema.ts'
import { type Context, command, now, query, run, runTimeless } from '../connection/statement.ts'
import { readColumns, type TargetColumn, writeBatch } from './copy-batch.ts'

/** Brings the schema up to date. Rejects as `openPostgresStore` does. */
export async function openPostgresCopyTarget(options: DatabaseOptions): Promise<CopyTarget> {
  const database = await Database.open(options)
  const columnsOf = new Map<string, Promise<readonly TargetColumn[]>>()
  const columns = (table: string): Promise<readonly TargetColumn[]> => {
    const known = columnsOf.get(table)
    if (known !== undefined) return known
    const read = database.statement('copy', (session) => readColumns(session, table))
    columnsOf.set(table, read)
    return read
  }
  return {
    columns,
    begin: (meta, first) =>
      database.transaction('copy', (session) => begin(session, { meta, first, schema: options.schema })),
    async write(batch, step) {
      const types = await columns(step.to.table)
      return database.statement('copy', (session) => writeBatch(session, batch, { ...step, types }))
    },
    position: () => database.statement('copy', readPosition),
    counts: () => database.statement('copy', countAll),
    finish: (at) => database.transaction('copy', (session) => finish(session, at)),
    close: () => database.close(),
  }
}

/** Throws `store_incompatible` while a copy into the schema is unfinished. */
export async function refuseUnfinishedCopy(session: Session): Promise<void> {
  if ((await readPosition(session)) === null) return
  throw new OuthookError(
    'store_incompatible',
    'the copy into this database is not finished; run "outhook migrate-store" again until it says that both agree, ' +
      'and start then',
  )
}

interface Beginning {
  readonly meta: MetaEntries
  readonly first: CopyPosition
  readonly schema: string
}

async function begin(session: Session, { meta, first, schema }: Beginning): Promise<CopyPosition | null> {
  const rows = await runTimeless(session, metaStatement, {})
  const there = new Map(rows.map(({ name, value }) => [name, value]))
  const unfinished = there.get(unfinishedCopyName)
  if (there.has(copyIdName) && there.get(copyIdName) === meta[copyIdName]) {
    return unfinished === undefined ? null : (JSON.parse(unfinished) as CopyPosition)
  }
  if (unfinished !== undefined) throw otherCopy(schema)
  await refuseNodes(session)
  await refuseRows(session, schema)
  refuseOtherKey(meta.master_key_check, there.get('master_key_check'))
  await session.query(null, 'delete from tenants', [])
  const entries = Object.entries({ ...meta, [unfinishedCopyName]: JSON.stringify(first) })
  await runTimeless(session, setMetaStatement, {
    names: entries.map(([name]) => name),
    values: entries.map(([, value]) => value),
  })
  return first
}

const metaStatement = query<{ readonly name: string; readonly value: string }>()(
  null,
  {},
  'select name, value from meta',
)

const setMetaStatement = command(
  null,
  { names: 'text[]', values: 'text[]' },
  `insert into meta (name, value) select * from unnest($names, $values)
   on conflict (name) do update set value = excluded.value`,
)

function otherCopy(schema: string): OuthookError {
  return new OuthookError(
    'conflict',
    'the target holds the beginning of another copy: of another database, or of this one before a server ran on it ' +
      `again; drop the schema (drop schema ${quoteName(schema)} cascade) and start over`,
  )
}

async function refuseNodes(session: Session): Promise<void> {
  const nodes = await run(await contextOf(session), nodesStatement, {})
  if (nodes.length === 0) return
  throw new OuthookError(
    'conflict',
    'a server runs on the target, which must not be used before the copy is finished; stop it and run this again in ' +
      'a minute, or give another schema',
  )
}

const nodesStatement = query<object>()(null, {}, `select from nodes where until > ${now} limit 1`)

/** Only what the migrations made may be there, and what nodes that are gone left of themselves. */
async function refuseRows(session: Session, schema: string): Promise<void> {
  const tables = await session.query<{ readonly name: string }>(
    null,
    `select tablename::text as name from pg_tables
     where schemaname = current_schema() and tablename not in ('schema_migrations', 'meta', 'nodes') order by 1`,
    [],
  )
  const filled: string[] = []
  for (const { name } of tables) {
    // The tenant that always exists has this id.
    const own = name === 'tenants' ? `where id <> '00000000-0000-0000-0000-000000000000'` : ''
    const found = await session.query(null, `select 1 from ${quoteName(name)} ${own} limit 1`, [])
    if (found.length > 0) filled.push(name)
  }
  if (filled.length === 0) return
  throw new OuthookError(
    'conflict',
    `the target is not empty: the schema ${schema} has rows in ${filled.join(', ')}; ` +
      'give an empty database, or another schema with "?schema=NAME"',
  )
}

function refuseOtherKey(source: string | undefined, target: string | undefined): void {
  if (source === undefined || target === undefined || source === target) return
  const [ofSource, ofTarget] = [source, target].map((check) => check.split('.')[0])
  throw new OuthookError(
    'wrong_master_key',
    `the secrets of the source are sealed under master key ${ofSource}, and the target was opened with ${ofTarget}; ` +
      'give an empty database, and start it with the master key of the source',
  )
}

async function readPosition(session: Session): Promise<CopyPosition | null> {
  const [row] = await runTimeless(session, positionStatement, {})
  return row === undefined ? null : (JSON.parse(row.value) as CopyPosition)
}

const positionStatement = query<{ readonly value: string }>()(
  null,
  {},
  `select value from meta where name = '${unfinishedCopyName}'`,
)

async function countAll(session: Session): Promise<readonly CopyCount[]> {
  const counts: CopyCount[] = []
  for (const table of copiedTables) {
    const rows = await session.query<Omit<CopyCount, 'table'>>(null, countSql(table), [])
    counts.push(...rows.map(({ state, rows }) => ({ table: table.name, state, rows })))
  }
  return counts
}

/** The process that probed the source's endpoints is gone. Its leases were ended when the source was opened. */
async function finish(session: Session, at: CopyPosition): Promise<void> {
  // One that began to start just before the copy did.
  await refuseNodes(session)
  const done = await runTimeless(session, endStatement, { at: JSON.stringify(at) })
  if (done.length === 0) {
    throw new OuthookError('conflict', 'another process has moved the copy on meanwhile; run it again')
  }
  await session.query(null, 'update endpoint_state set probe_delivery_id = null, probe_until = null', [])
  await run(await contextOf(session), armAllStatement, {})
  await run(await contextOf(session), nextLineStatement, {})
  await session.query(null, `analyze ${copiedTables.map(({ name }) => name).join(', ')}`, [])
}

const endStatement = query<object>()(
  null,
  { at: 'text' },
  `delete from meta where name = '${unfinishedCopyName}' and value = $at returning 1`,
)

/** No process has its time here yet: the line is that of the copy, as far as the server can tell. */
async function contextOf(session: Session): Promise<Context> {
  const [row] = await session.query<{ readonly moment: number }>(null, 'select line_ms() as moment', [])
  const moment = row?.moment ?? 0
  return { ...session, moment, line: newTimeLine, ids: createIdFactory(() => moment) }
}

/** Numbers of lines go on behind those that were used. */
const nextLineStatement = query<object>()(
  null,
  {},
  `select setval(pg_get_serial_sequence('ordered_keys', 'line'), last) from (
     select greatest((select max(line) from ordered_keys), (select max(line) from live_deliveries)) as last) l
   where last is not null`,
)

const armAllStatement = command(
  null,
  {},
  `insert into ready_endpoints (target_id, tenant_id, next_at)
   select d.target_id, d.tenant_id, greatest(${now}, min(d.due_at), ${blockedUntil('d.target_id')})
   from live_deliveries d where d.due_at is not null group by d.target_id, d.tenant_id`,
)
