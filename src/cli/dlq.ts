import type { Command } from 'commander'
import type { DeadLetterResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addManyOptions, type ManyOptions, runOneOrMany } from './many.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, fillPage, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'

const columns: readonly Column<DeadLetterResource>[] = [
  { title: 'DELIVERY', kind: 'id', value: (row) => row.deliveryId },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'ENDPOINT', kind: 'id', value: (row) => row.endpointId },
  { title: 'ERROR', kind: 'text', value: (row) => row.finalError },
  { title: 'TRIES', value: (row) => row.attemptCount },
  { title: 'GIVEN UP', kind: 'age', value: (row) => row.deadAt },
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
    const filter = { endpointId: endpoint, topic, since, until, errorClass: error }
    print.page(
      'DeadLetter',
      await fillPage(client.deadLetters.list, { ...pageQuery(options), ...filter }),
      columns,
    )
  })

  const reasons = addApiCommand(command, 'reasons', 'how many were given up for which error', io)
  addIdFilter(reasons, 'endpoint', 'to this endpoint, by its id or uid')
  reasons.option('--topic <topic>', 'of exactly this topic')
  addTimeRange(reasons, 'given up').run<ListOptions>(async ({ client, print }, _args, options) => {
    const { topic, since, until } = options
    const endpointId = await resolveEndpointFilter(client, options.endpoint)
    print.answer(
      'DeadLetterReasons',
      await client.deadLetters.countReasons({ endpointId, topic, since, until }),
    )
  })

  const text = 'send one again, or many as a job, from the first attempt'
  const replay = addApiCommand(command, 'replay [delivery-id]', text, io)
  replay.option('--error <class>', 'those whose last error is of this class, such as http_503 or timeout')
  addManyOptions(replay, 'given up').run<ReplayOptions>((context, [id], options) => {
    const { print, client } = context
    return runOneOrMany(context, id, {
      options,
      filter: { errorClass: options.error },
      one: async (whole) => print.answer('Replay', await client.deadLetters.replay(whole)),
      many: (body) => client.deadLetters.replayMany(body),
    })
  })
}

interface ReplayOptions extends ManyOptions {
  readonly error?: string
}
