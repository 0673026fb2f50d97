import type { Command } from 'commander'
import type { OrderedKeyResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import { addIdFilter } from './filter-options.ts'
import type { CliIo } from './io.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<OrderedKeyResource>[] = [
  { title: 'SUBSCRIPTION', kind: 'id', value: (row) => row.subscriptionId },
  { title: 'KEY', kind: 'text', value: (row) => row.orderingKey },
  { title: 'STATE', value: (row) => row.state },
  { title: 'BACKLOG', value: (row) => row.backlogCount },
  { title: 'HEAD', kind: 'id', value: (row) => row.headDeliveryId },
  { title: 'HEAD STATE', value: (row) => row.headState },
  { title: 'BLOCKED', kind: 'age', value: (row) => row.blockedSince },
]

interface ListOptions extends PageOptions {
  readonly blocked?: boolean
  readonly subscription?: string
  readonly orderingKey?: string
}

export function register(command: Command, io: CliIo): void {
  const text = 'ordering keys with deliveries that have not come to an end'
  const list = addApiCommand(command, 'list', text, io)
  list
    .option('--blocked', 'those whose head was given up, until it is replayed or skipped')
    .option('--no-blocked', 'the others')
  addIdFilter(list, 'subscription', 'of this subscription')
  list.option('--ordering-key <key>', 'exactly this key')
  addPageOptions(list).run<ListOptions>(async ({ client, print }, _args, options) => {
    const { blocked, subscription, orderingKey } = options
    const query = {
      ...pageQuery(options),
      blocked,
      subscriptionId: subscription && (await resolveId(subscription, client.subscriptions.list)),
      orderingKey,
    }
    print.page('OrderedKey', await client.orderedKeys.list(query), columns)
  })
}
