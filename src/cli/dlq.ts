import type { Command } from 'commander'
import type { DeadLetterResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addManyOptions, type ManyOptions, runOneOrMany } from './many.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
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
  readonly error?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'deliveries that were given up, newest first', io)
  addIdFilter(list, 'endpoint', 'to this endpoint, by its id or uid')
  list.option('--topic <topic>', 'of exactly this topic')
  list.option('--error <class>', 'given up for this, such as http_503 or timeout')
  addPageOptions(addTimeRange(list, 'given up'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const { topic, since, until, error } = options
    const endpoint = await resolveEndpointFilter(client, options.endpoint)
    const filter = { endpoint_id: endpoint, topic, since, until, error_class: error }
    print.page(await client.deadLetters.list({ ...pageQuery(options), ...filter }), columns)
  })

  const text = 'send one again, or many as a job, from the first attempt'
  const replay = addApiCommand(command, 'replay [delivery-id]', text, io)
  replay.option('--error <class>', 'those whose last error is of this class, such as http_503 or timeout')
  addManyOptions(replay, 'given up').run<ReplayOptions>((context, [id], options) => {
    const { deadLetters } = context.client
    return runOneOrMany(context, id, {
      options,
      filter: { error_class: options.error },
      one: async (whole) => deadLetters.replay(whole),
      many: (body) => deadLetters.replayMany(body),
    })
  })
}

interface ReplayOptions extends ManyOptions {
  readonly error?: string
}
