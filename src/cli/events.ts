import { type Command, Option } from 'commander'
import type { DeliveryResource, EventResource, EventStatus } from '../client/resources.ts'
import { waitForEnd } from '../client/wait.ts'
import { deliveryStates } from '../core/model.ts'
import type { ApiContext } from './api-command.ts'
import { addApiCommand } from './api-command.ts'
import { counted } from './counted.ts'
import { deliveryColumns } from './deliveries.ts'
import { addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { durationMs } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, fillPage, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'
import { renderTable } from './table.ts'
import { wrap } from './wrap.ts'

const columns: readonly Column<EventResource>[] = [
  { title: 'EVENT', kind: 'id', value: (row) => row.id },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'BYTES', value: (row) => row.payloadBytes },
  { title: 'PUBLISHED', kind: 'age', value: (row) => row.createdAt },
]

interface ListOptions extends PageOptions, TimeRangeOptions {
  readonly topic?: string
  readonly topicPattern?: string
  readonly orderingKey?: string
  readonly meta?: string
  readonly deliveryState?: DeliveryResource['state']
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'newest first', io)
  list
    .option('--topic <topic>', 'of exactly this topic')
    .option('--topic-pattern <pattern>', 'of a topic below a prefix, such as "orders.*"')
    .option('--ordering-key <key>', 'with this ordering key')
    .option('--meta <name=value>', 'with this metadata')
    .addOption(
      new Option('--delivery-state <state>', 'one of its first 100 deliveries is in this state').choices(
        deliveryStates,
      ),
    )
  addPageOptions(addTimeRange(list, 'published'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const { topic, topicPattern, orderingKey, meta: metadata, deliveryState, since, until } = options
    const filter = { topic, topicPattern, orderingKey, metadata, deliveryState, since, until }
    print.page('Event', await fillPage(client.events.list, { ...pageQuery(options), ...filter }), columns)
  })

  addApiCommand(command, 'get <id>', 'one event and its deliveries, 1000 at a time', io)
    .option('--cursor <cursor>', 'go on after an earlier answer')
    .run<{ cursor?: string }>(async (context, [id = ''], { cursor }) => {
      const { events } = context.client
      const query = cursor === undefined ? {} : { cursor }
      showEvent(context, await events.get(await resolveId(id, events.list), query))
    })

  const waitText = 'wait until every delivery is at an end; exit code 1 when not all succeeded'
  addApiCommand(command, 'wait <id>', waitText, io)
    .option('--timeout <duration>', 'for how long (default 30s)', durationMs)
    .run<{ timeout?: number }>(async (context, [id = ''], options) => {
      await waitForEvent(context, await resolveId(id, context.client.events.list), options.timeout)
    })

  addApiCommand(command, 'payload <id>', 'the exact bytes that were published', io).run(
    async ({ client, io }, [id = '']) => {
      io.printBytes(await client.events.getPayload(await resolveId(id, client.events.list)))
    },
  )

  registerExpunge(command, io)
}

interface ExpungeOptions {
  readonly cancel?: true
}

function registerExpunge(command: Command, io: CliIo): void {
  const text = 'take its payload out of the store for good, and what answers repeat of it'
  addApiCommand(command, 'expunge <id>', text, io)
    .option('--cancel', 'cancel its deliveries that have not come to an end, which is refused otherwise')
    .run<ExpungeOptions>(async ({ client, print }, [id = ''], { cancel }) => {
      const { events } = client
      print.answer('Expunged', await events.expungePayload(await resolveId(id, events.list), { cancel }))
    })
}

function showEvent({ print, io }: ApiContext, event: EventStatus): void {
  const { deliveries, nextCursor, ...fields } = event
  print.answer('EventStatus', event, fields)
  if (deliveries.length > 0) {
    print.note(`\n${renderTable(deliveryColumns, deliveries, { colour: io.isTerminal, width: io.width })}`)
  }
  if (nextCursor !== '') {
    print.note(`\nThere are more deliveries: outhook events get ${event.id} --cursor ${nextCursor}`)
  } else if (event.state === 'accepted') {
    print.note(`\n${beingMade}`)
  } else if (deliveries.length === 0 && event.topic !== null) {
    print.note(`\n${noReceiver(event.topic, event.filteredSubscriptions)}`)
  }
}

/** What to say of an event whose deliveries do not exist yet. */
export const beingMade = 'Its deliveries are being made just now; "outhook events get" shows them.'

/** What to say of an event that goes nowhere. */
export function noReceiver(topic: string, filteredSubscriptions = 0): string {
  if (filteredSubscriptions > 0) {
    return wrap(
      `No delivery: the filter of ${counted(filteredSubscriptions, 'subscription')} to ${topic} did not let it through. The event is ` +
        'stored, and goes nowhere. "outhook subscriptions preview" says why.',
    )
  }
  return wrap(
    `No delivery: no endpoint was subscribed to ${topic} when it was published. The event is stored, and goes nowhere. ` +
      '"outhook endpoints list" shows who is subscribed to what.',
  )
}

/** Shows the event when it is done. @throws when it does not end in time, or not well. */
export async function waitForEvent(context: ApiContext, id: string, timeoutMs?: number): Promise<void> {
  const { pages, isOver } = await waitForEnd(context.client.events.get, id, { timeoutMs })
  const [first] = pages
  if (first !== undefined) showEvent(context, first)
  const deliveries = pages.flatMap((page) => page.deliveries)
  const failed = deliveries.filter(({ state }) => state !== 'succeeded')
  if (failed.length > 0) {
    const states = [...new Set(failed.map(({ state }) => state))].join(', ')
    throw new Error(
      `${failed.length} of ${counted(deliveries.length, 'delivery', 'deliveries')} did not succeed: ${states}`,
    )
  }
  if (!isOver) throw new Error('not every delivery of the event was made, or came to an end, in time')
}
