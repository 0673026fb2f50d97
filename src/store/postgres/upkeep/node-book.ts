import type { NodeRole } from '../../../core/node-role.ts'
import { forgetAfterMs, type NodeBook, type NodeReport, type SeenNode } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

export function createNodeBook({ plain }: Runner): NodeBook {
  return {
    report: (node) => plain('config', (context) => report(context, node)),
    leave: (nodeId) => plain('config', (context) => leave(context, nodeId)),
    list: () => plain('read', list),
  }
}

async function report(context: Context, node: NodeReport): Promise<void> {
  const { id, host, pid, role, version, startedAt: started_at, inFlight: in_flight } = node
  await run(context, reportStatement, { id, host, pid, role, version, started_at, in_flight })
}

async function leave(context: Context, id: string): Promise<void> {
  await run(context, leaveStatement, { id })
}

async function list(context: Context): Promise<readonly SeenNode[]> {
  const rows = await run(context, listStatement, {})
  return rows.map(({ id, started_at, in_flight, seen_at, ...rest }) => ({
    ...rest,
    id: uuid(id),
    startedAt: started_at,
    inFlight: in_flight,
    seenAt: seen_at,
  }))
}

const reportStatement = command(
  'report_node',
  {
    id: 'uuid',
    host: 'text',
    pid: 'integer',
    role: 'text',
    version: 'text',
    started_at: 'bigint',
    in_flight: 'integer',
  },
  // the table is small; what another process has just removed is passed over
  `with silent as (
     delete from node_reports where id in (
       select id from node_reports where seen_at < ${now} - ${forgetAfterMs} and id <> $id for update skip locked)
   )
   insert into node_reports (id, host, pid, role, version, started_at, in_flight, seen_at)
   values ($id, $host, $pid, $role, $version, $started_at, $in_flight, ${now})
   on conflict (id) do update set in_flight = excluded.in_flight, seen_at = excluded.seen_at`,
)

// primary key
const leaveStatement = command('leave_nodes', { id: 'uuid' }, 'delete from node_reports where id = $id')

const listStatement = query<{
  readonly id: Uint8Array
  readonly host: string
  readonly pid: number
  readonly role: NodeRole
  readonly version: string
  readonly started_at: number
  readonly in_flight: number
  readonly seen_at: number
}>()(
  'list_nodes',
  {},
  // the table is small
  `select id, host, pid, role, version, started_at, in_flight, seen_at from node_reports
   where seen_at >= ${now} - ${forgetAfterMs} order by started_at, id`,
)
