import type { Command } from 'commander'
import type { AttemptResource, DeliveryResource } from '../client/resources.ts'
import { deliveryStates } from '../core/model.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'
import { renderTable } from './table.ts'

export const deliveryColumns: readonly Column<DeliveryResource>[] = [
  { title: 'DELIVERY', value: (row) => row.id },
  { title: 'TOPIC', value: (row) => row.topic },
  { title: 'STATE', value: (row) => row.state },
  { title: 'REASON', value: (row) => row.reason },
  { title: 'ATTEMPTS', value: (row) => row.attempt_count },
  { title: 'LAST', value: (row) => row.error_class ?? row.last_http_status },
  { title: 'NEXT ATTEMPT', value: (row) => row.next_attempt_at },
]

const attemptColumns: readonly Column<AttemptResource>[] = [
  { title: 'ATTEMPT', value: (row) => row.attempt_no },
  { title: 'STATUS', value: (row) => row.status },
  { title: 'HTTP', value: (row) => row.http_status },
  { title: 'ERROR', value: (row) => row.error_class },
  { title: 'MS', value: (row) => row.latency_ms },
  { title: 'STARTED', value: (row) => row.started_at },
]

interface ListOptions extends PageOptions {
  readonly state?: string
  readonly endpoint?: string
  readonly topic?: string
  readonly event?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addPageOptions(addApiCommand(command, 'list', 'newest first', io))
  list
    .option('--state <state>', deliveryStates.join(', '))
    .option('--endpoint <id>', 'to this endpoint')
    .option('--topic <topic>', 'of exactly this topic')
    .option('--event <id>', 'of this event')
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const filter = {
      state: options.state,
      endpoint_id: options.endpoint,
      topic: options.topic,
      event_id: options.event,
    }
    print.page(await client.deliveries.list({ ...pageQuery(options), ...filter }), deliveryColumns)
  })

  const getText = 'one delivery with its attempts; --json has what the endpoint answered'
  addApiCommand(command, 'get <id>', getText, io).run(async ({ client, print, io }, [id = '']) => {
    const delivery = await client.deliveries.get(id)
    const { attempts, ...fields } = delivery
    print.object(delivery, fields)
    if (attempts.length > 0) {
      print.note(`\n${renderTable(attemptColumns, attempts, { colour: io.isTerminal })}`)
    }
  })
}
