import type { Command } from 'commander'
import type { DeadLetterResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { moment } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'

const columns: readonly Column<DeadLetterResource>[] = [
  { title: 'DELIVERY', value: (row) => row.delivery_id },
  { title: 'TOPIC', value: (row) => row.topic },
  { title: 'ENDPOINT', value: (row) => row.endpoint_id },
  { title: 'ERROR', value: (row) => row.final_error },
  { title: 'ATTEMPTS', value: (row) => row.attempt_count },
  { title: 'DEAD SINCE', value: (row) => row.dead_at },
]

interface ListOptions extends PageOptions {
  readonly endpoint?: string
  readonly since?: string
  readonly until?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addPageOptions(
    addApiCommand(command, 'list', 'deliveries that were given up, newest first', io),
  )
  list
    .option('--endpoint <id>', 'to this endpoint')
    .option('--since <time>', 'dead from this time on: RFC 3339, or how long ago, such as 2h', moment)
    .option('--until <time>', 'dead before this time', moment)
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const filter = { endpoint_id: options.endpoint, since: options.since, until: options.until }
    print.page(await client.deadLetters.list({ ...pageQuery(options), ...filter }), columns)
  })

  const replayText = 'send it again, from the first attempt'
  addApiCommand(command, 'replay <delivery-id>', replayText, io).run(async ({ client, print }, [id = '']) => {
    print.object(await client.deadLetters.replay(id))
  })
}
