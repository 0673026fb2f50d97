import type { Command } from 'commander'
import type { RetryPolicy, SubscriptionChange } from '../client/generated/types.ts'
import { toSnakeCase } from '../client/member-names.ts'
import type { PreviewAnswer, SubscriptionPreview, SubscriptionResource } from '../client/resources.ts'
import { describeRetryProfiles } from '../core/retry-policy.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpoint, resolveEndpointFilter } from './endpoint-id.ts'
import { UsageError } from './exit-codes.ts'
import { addIdFilter } from './filter-options.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import {
  collect,
  type FilterOption,
  filterOf,
  headerOrNone,
  jsonPayload,
  orDefault,
  payloadFilter,
  retryPolicy,
  wholeNumber,
} from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import { type Column, renderTable } from './table.ts'

const filterExample = '\'{"total":{"$gte":100}}\''

const columns: readonly Column<SubscriptionResource>[] = [
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'ENDPOINT', kind: 'id', value: (row) => row.endpointId },
  { title: 'TOPICS', kind: 'text', value: (row) => row.topicPatterns },
  { title: 'FILTER', kind: 'text', value: (row) => row.filter },
  { title: 'RETRY', kind: 'text', value: (row) => toSnakeCase(row.retryPolicy) },
  { title: 'ORDERED', value: (row) => row.ordered },
  { title: 'ACTIVE', value: (row) => row.active },
]

interface SubscriptionOptions {
  readonly topic?: readonly string[]
  readonly filter?: FilterOption
  readonly header?: Readonly<Record<string, string>>
  readonly retryPolicy?: RetryPolicy | 'default'
}

interface CreateOptions extends SubscriptionOptions {
  readonly ordered?: boolean
  readonly inactive?: true
}

interface ListOptions extends PageOptions {
  readonly endpoint?: string
  readonly includeDeleted?: boolean
}

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(command, 'create <endpoint>', 'subscribe an endpoint to topics', io)
  addSubscriptionOptions(create)
    .option('--ordered', 'events with the same ordering key go one after the other; it stays so')
    .option('--inactive', 'events do not go to it until it is enabled')
  create.run<CreateOptions>(async ({ client, print }, [endpoint = ''], options) => {
    if (options.topic === undefined) throw new UsageError('name at least one topic pattern with --topic')
    const endpointId = await resolveEndpoint(client, endpoint)
    const { ordered, inactive } = options
    const active = inactive ? false : undefined
    const body = { endpointId, ...bodyOf(options), ordered, active }
    print.answer('Subscription', await client.subscriptions.create(body))
  })

  const list = addApiCommand(command, 'list', 'newest first', io)
  addIdFilter(list, 'endpoint', 'of this endpoint, by its id or uid')
  addPageOptions(list.option('--include-deleted', 'deleted ones too'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const query = {
      ...pageQuery(options),
      endpointId: await resolveEndpointFilter(client, options.endpoint),
      includeDeleted: options.includeDeleted,
    }
    print.page('Subscription', await client.subscriptions.list(query), columns)
  })

  addApiCommand(command, 'get <id>', 'one subscription', io).run(async ({ client, print }, [given = '']) => {
    print.answer(
      'Subscription',
      await client.subscriptions.get(await resolveId(given, client.subscriptions.list)),
    )
  })

  registerPreview(command, io)

  const update = addApiCommand(command, 'update <id>', 'change what is given, leave the rest', io)
  addSubscriptionOptions(addIfMatch(update))
  update.run<SubscriptionOptions & IfMatchOption>(async ({ client, print }, [given = ''], options) => {
    const id = await resolveId(given, client.subscriptions.list)
    print.answer('Subscription', await client.subscriptions.update(id, bodyOf(options), ifMatchIn(options)))
  })

  for (const [name, active, text] of [
    ['enable', true, 'new events go to it again'],
    ['disable', false, 'new events no longer go to it'],
  ] as const) {
    const change = addIfMatch(addApiCommand(command, `${name} <id>`, text, io))
    change.run<IfMatchOption>(async ({ client, print }, [given = ''], options) => {
      const id = await resolveId(given, client.subscriptions.list)
      print.answer('Subscription', await client.subscriptions.update(id, { active }, ifMatchIn(options)))
    })
  }

  const deleteText = 'delete it; what waits for it is cancelled'
  const remove = addIfMatch(addApiCommand(command, 'delete <id>', deleteText, io))
  remove.run<IfMatchOption>(async ({ client, print }, [given = ''], options) => {
    const id = await resolveId(given, client.subscriptions.list)
    await client.subscriptions.delete(id, ifMatchIn(options))
    print.object({ id, deleted: true })
  })
}

type PreviewedEvent = PreviewAnswer['items'][number]

const previewColumns: readonly Column<PreviewedEvent>[] = [
  { title: 'EVENT', kind: 'id', value: (row) => row.eventId },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'PUBLISHED', kind: 'age', value: (row) => row.createdAt },
  { title: 'PASSES', value: (row) => row.passes },
  { title: 'WHY NOT', kind: 'text', value: whyNot },
]

function whyNot({ reason, failed }: PreviewedEvent): string {
  if (failed === null) return reason ?? ''
  const { path, condition, found } = failed
  return `${path || 'payload'}: ${JSON.stringify(condition)}, is ${found ?? 'not there'}`
}

interface PreviewOptions {
  readonly filter: FilterOption
  readonly topic?: readonly string[]
  readonly payload?: unknown
  readonly last?: number
}

function registerPreview(command: Command, io: CliIo): void {
  const text = 'which recent events a filter would let through, and why not the others; changes nothing'
  addApiCommand(command, 'preview', text, io)
    .requiredOption(
      '--filter <json>',
      `what payloads have to be like: ${filterExample}, @file or none`,
      payloadFilter,
    )
    .option('--topic <pattern>', 'events of these topics alone (repeatable)', collect)
    .option('--payload <json>', 'look at this, or @file, in place of recent events', jsonPayload)
    .option('--last <number>', 'events at most (default 20)', wholeNumber(1, 100))
    .run<PreviewOptions>(
      async ({ client, print, io: { isTerminal, width } }, _args, { filter, topic, payload, last }) => {
        const body: SubscriptionPreview = {
          filter: filterOf(filter) ?? null,
          topicPatterns: topic,
          payload,
          limit: last,
        }
        const preview = await client.subscriptions.preview(body)
        const { items, passed, lookedAt } = preview
        print.answer('SubscriptionPreviewed', preview, { passed, of: items.length, lookedAt })
        if (items.length > 0)
          print.note(`\n${renderTable(previewColumns, items, { colour: isTerminal, width })}`)
      },
    )
}

function addSubscriptionOptions(command: Command): Command {
  return command
    .option('--topic <pattern>', '"orders.created", "orders.*" or "*" (repeatable)', collect)
    .option(
      '--filter <json>',
      `what payloads have to be like: ${filterExample}, @file or none`,
      payloadFilter,
    )
    .option(
      '--header <name:value>',
      'sent with its requests; wins over that of the endpoint (repeatable), or none',
      headerOrNone,
    )
    .option(
      '--retry-policy <policy>',
      `a profile, ${describeRetryProfiles()}, one of the server’s own, a JSON object, or default for that of the endpoint`,
      orDefault(retryPolicy),
    )
}

function bodyOf(options: SubscriptionOptions): SubscriptionChange {
  const { topic: topicPatterns, header: headers, retryPolicy: policy } = options
  const retryPolicy = policy === 'default' ? null : policy
  return { topicPatterns, filter: filterOf(options.filter), headers, retryPolicy }
}
