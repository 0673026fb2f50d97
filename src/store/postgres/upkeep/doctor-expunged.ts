/** Whether expunged payloads are gone with all that answers repeat of them. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type Finding, judgeExpunged } from '../../finding.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import type { Subject } from './doctor-check.ts'

export async function checkExpunged({ query }: Subject): Promise<readonly Finding[]> {
  // A schema from before has none.
  const [known] = await query<{ is_there: boolean }>(
    null,
    `select to_regclass('events_expunged') is not null as is_there`,
    [],
  )
  if (known?.is_there !== true) return []
  // events_expunged, primary keys
  const rows = await query<{ id: string; is_left: boolean }>(
    null,
    `select replace(e.id::text, '-', '') as id, exists (
       select from ${deliveriesOf('e')} l where
         exists (select from deliveries d where d.id = l.id and d.response_headers is not null)
         or exists (select from attempts a where a.delivery_id = l.id and a.response_headers is not null)) as is_left
     from events e where e.expunged_at is not null order by e.id`,
    [],
  )
  const left = rows.filter((row) => row.is_left)
  return judgeExpunged(
    rows.length,
    left.map(({ id }) => bytesToId(idPrefixes.event, Buffer.from(id, 'hex'))),
  )
}
