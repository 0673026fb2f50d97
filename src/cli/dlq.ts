import type { Command } from 'commander'
import type { DeadLetterResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<DeadLetterResource>[] = [
  { title: 'DELIVERY', kind: 'id', value: (row) => row.delivery_id },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'ENDPOINT', kind: 'id', value: (row) => row.endpoint_id },
  { title: 'ERROR', kind: 'text', value: (row) => row.final_error },
  { title: 'TRIES', value: (row) => row.attempt_count },
  { title: 'GIVEN UP', kind: 'age', value: (row) => row.dead_at },
]

interface ListOptions extends PageOptions, TimeRangeOptions {
  readonly endpoint?: string
  readonly topic?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'deliveries that were given up, newest first', io)
  addIdFilter(list, 'endpoint', 'to this endpoint, by its id or uid')
  list.option('--topic <topic>', 'of exactly this topic')
  addPageOptions(addTimeRange(list, 'given up'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const { topic, since, until } = options
    const filter = { endpoint_id: await resolveEndpointFilter(client, options.endpoint), topic, since, until }
    print.page(await client.deadLetters.list({ ...pageQuery(options), ...filter }), columns)
  })

  const replayText = 'send it again, from the first attempt'
  addApiCommand(command, 'replay <delivery-id>', replayText, io).run(async ({ client, print }, [id = '']) => {
    print.object(await client.deadLetters.replay(await resolveId(id, client.deliveries.list)))
  })
}
