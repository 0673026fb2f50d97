import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import type { EventResource, EventStatus } from '../client/resources.ts'
import { createSystemClock } from '../core/clock.ts'
import type { ApiContext } from './api-command.ts'
import { addApiCommand } from './api-command.ts'
import { counted } from './counted.ts'
import { deliveryColumns } from './deliveries.ts'
import { addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { durationMs } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'
import { renderTable } from './table.ts'
import { wrap } from './wrap.ts'

const columns: readonly Column<EventResource>[] = [
  { title: 'EVENT', kind: 'id', value: (row) => row.id },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'BYTES', value: (row) => row.payload_bytes },
  { title: 'PUBLISHED', kind: 'age', value: (row) => row.created_at },
]

interface ListOptions extends PageOptions, TimeRangeOptions {
  readonly topic?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'newest first', io)
  list.option('--topic <topic>', 'of exactly this topic')
  addPageOptions(addTimeRange(list, 'published'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const filter = { topic: options.topic, since: options.since, until: options.until }
    print.page(await client.events.list({ ...pageQuery(options), ...filter }), columns)
  })

  addApiCommand(command, 'get <id>', 'one event and its deliveries', io).run(async (context, [id = '']) => {
    const { events } = context.client
    showEvent(context, await events.get(await resolveId(id, events.list)))
  })

  const waitText = 'wait until every delivery is at an end; exit code 1 when not all succeeded'
  addApiCommand(command, 'wait <id>', waitText, io)
    .option('--timeout <duration>', 'for how long (default 30s)', durationMs)
    .run<{ timeout?: number }>(async (context, [id = ''], options) => {
      await waitForEvent(context, await resolveId(id, context.client.events.list), options.timeout)
    })

  addApiCommand(command, 'payload <id>', 'the exact bytes that were published', io).run(
    async ({ client, io }, [id = '']) => {
      io.printBytes(await client.events.payload(await resolveId(id, client.events.list)))
    },
  )
}

function showEvent({ print, io }: ApiContext, event: EventStatus): void {
  const { deliveries, ...fields } = event
  print.object(event, fields)
  if (deliveries.length > 0) {
    print.note(`\n${renderTable(deliveryColumns, deliveries, { colour: io.isTerminal, width: io.width })}`)
  } else if (event.state === 'accepted') {
    print.note('\nIts deliveries are made just now.')
  } else {
    print.note(`\n${noReceiver(event.topic)}`)
  }
}

/** What to say of an event that goes nowhere. */
export function noReceiver(topic: string): string {
  return wrap(
    `No delivery: no endpoint was subscribed to ${topic} when it was published. The event is stored, and goes nowhere. ` +
      '"outhook endpoints list" shows who is subscribed to what.',
  )
}

const defaultWaitMs = 30_000
const pollMs = 200
const endStates = ['succeeded', 'dead_lettered', 'cancelled']

/** Shows the event when it is done. @throws when it does not end in time, or not well. */
export async function waitForEvent(
  context: ApiContext,
  id: string,
  timeoutMs: number = defaultWaitMs,
): Promise<void> {
  const clock = createSystemClock()
  const deadline = clock.elapsed() + timeoutMs
  let event = await context.client.events.get(id)
  while (!isAtEnd(event) && clock.elapsed() < deadline) {
    await wait(pollMs)
    event = await context.client.events.get(id)
  }
  showEvent(context, event)
  const failed = event.deliveries.filter(({ state }) => state !== 'succeeded')
  if (failed.length > 0) {
    const states = [...new Set(failed.map(({ state }) => state))].join(', ')
    throw new Error(
      `${failed.length} of ${counted(event.deliveries.length, 'delivery', 'deliveries')} did not succeed: ${states}`,
    )
  }
}

function isAtEnd({ state, deliveries }: EventStatus): boolean {
  return state !== 'accepted' && deliveries.every((delivery) => endStates.includes(delivery.state))
}
