import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import type { EventResource, EventStatus } from '../client/resources.ts'
import { createSystemClock } from '../core/clock.ts'
import type { ApiContext } from './api-command.ts'
import { addApiCommand } from './api-command.ts'
import { deliveryColumns } from './deliveries.ts'
import type { CliIo } from './io.ts'
import { durationMs, moment } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import type { Column } from './table.ts'
import { renderTable } from './table.ts'

const columns: readonly Column<EventResource>[] = [
  { title: 'EVENT', value: (row) => row.id },
  { title: 'TOPIC', value: (row) => row.topic },
  { title: 'BYTES', value: (row) => row.payload_bytes },
  { title: 'CREATED', value: (row) => row.created_at },
]

interface ListOptions extends PageOptions {
  readonly topic?: string
  readonly since?: string
  readonly until?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addPageOptions(addApiCommand(command, 'list', 'newest first', io))
  list
    .option('--topic <topic>', 'of exactly this topic')
    .option('--since <time>', 'from this time on: RFC 3339, or how long ago, such as 2h', moment)
    .option('--until <time>', 'before this time', moment)
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const filter = { topic: options.topic, since: options.since, until: options.until }
    print.page(await client.events.list({ ...pageQuery(options), ...filter }), columns)
  })

  addApiCommand(command, 'get <id>', 'one event and its deliveries', io).run(async (context, [id = '']) => {
    showEvent(context, await context.client.events.get(id))
  })

  const waitText = 'wait until every delivery is at an end; exit code 1 when not all succeeded'
  addApiCommand(command, 'wait <id>', waitText, io)
    .option('--timeout <duration>', 'for how long (default 30s)', durationMs)
    .run<{ timeout?: number }>(async (context, [id = ''], options) => {
      await waitForEvent(context, id, options.timeout)
    })

  addApiCommand(command, 'payload <id>', 'the exact bytes that were published', io).run(
    async ({ client, io }, [id = '']) => io.printBytes(await client.events.payload(id)),
  )
}

function showEvent({ print, io }: ApiContext, event: EventStatus): void {
  const { deliveries, ...fields } = event
  print.object(event, fields)
  if (deliveries.length > 0) {
    print.note(`\n${renderTable(deliveryColumns, deliveries, { colour: io.isTerminal })}`)
  }
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
    throw new Error(`${failed.length} of ${event.deliveries.length} deliveries did not succeed: ${states}`)
  }
}

function isAtEnd({ state, deliveries }: EventStatus): boolean {
  return state !== 'accepted' && deliveries.every((delivery) => endStates.includes(delivery.state))
}
