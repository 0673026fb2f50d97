import type { Command } from 'commander'
import type { SubscriptionResource } from '../client/resources.ts'
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { addApiCommand } from './api-command.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { collect, retryPolicy } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'

const columns: readonly Column<SubscriptionResource>[] = [
  { title: 'ID', value: (row) => row.id },
  { title: 'ENDPOINT', value: (row) => row.endpoint_id },
  { title: 'TOPICS', value: (row) => row.topic_patterns },
  { title: 'RETRY', value: (row) => row.retry_policy },
  { title: 'ACTIVE', value: (row) => row.active },
]

interface SubscriptionOptions {
  readonly topic?: readonly string[]
  readonly retryPolicy?: unknown
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <endpoint-id>', 'subscribe an endpoint to topics', io)
  addSubscriptionOptions(create)
  create.run<SubscriptionOptions>(async ({ client, print }, [endpointId], options) => {
    if (options.topic === undefined) throw new UsageError('name at least one topic pattern with --topic')
    print.object(await client.subscriptions.create({ endpoint_id: endpointId, ...bodyOf(options) }))
  })

  const list = addPageOptions(addApiCommand(command, 'list', 'newest first', io))
  list.option('--endpoint <id>', 'of this endpoint')
  list.run<PageOptions & { endpoint?: string }>(async ({ client, print }, _args, options) => {
    const query = { ...pageQuery(options), endpoint_id: options.endpoint }
    print.page(await client.subscriptions.list(query), columns)
  })

  addApiCommand(command, 'get <id>', 'one subscription', io).run(async ({ client, print }, [id = '']) => {
    print.object(await client.subscriptions.get(id))
  })

  const update = addApiCommand(command, 'update <id>', 'change what is given, leave the rest', io)
  addSubscriptionOptions(update)
  update.run<SubscriptionOptions>(async ({ client, print }, [id = ''], options) => {
    print.object(await client.subscriptions.update(id, bodyOf(options)))
  })

  for (const [name, active, text] of [
    ['enable', true, 'new events go to it again'],
    ['disable', false, 'new events no longer go to it'],
  ] as const) {
    addApiCommand(command, `${name} <id>`, text, io).run(async ({ client, print }, [id = '']) => {
      print.object(await client.subscriptions.update(id, { active }))
    })
  }

  const deleteText = 'delete it; what waits for it is cancelled'
  addApiCommand(command, 'delete <id>', deleteText, io).run(async ({ client, print }, [id = '']) => {
    await client.subscriptions.delete(id)
    print.object({ id, deleted: true })
  })
}

function addSubscriptionOptions(command: Command): Command {
  return command
    .option('--topic <pattern>', '"orders.created", "orders.*" or "*" (repeatable)', collect)
    .option('--retry-policy <policy>', `a profile, ${describeRetryProfiles()}, or a JSON object`, retryPolicy)
}

function bodyOf(options: SubscriptionOptions): Record<string, unknown> {
  return { topic_patterns: options.topic, retry_policy: options.retryPolicy }
}
