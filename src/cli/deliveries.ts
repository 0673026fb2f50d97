import { type Command, Option } from 'commander'
import type { AttemptResource, DeliveryResource } from '../client/resources.ts'
import { deliveryStates } from '../core/model.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addManyOptions, type ManyOptions, runOneOrMany } from './many.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, fillPage, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'
import { renderTable } from './table.ts'

export const deliveryColumns: readonly Column<DeliveryResource>[] = [
  { title: 'DELIVERY', kind: 'id', value: (row) => row.id },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'STATE', value: (row) => row.state },
  { title: 'TRIES', value: (row) => row.attemptCount },
  { title: 'LAST', kind: 'text', value: (row) => row.errorClass ?? row.lastHttpStatus },
  { title: 'NEXT', kind: 'due', value: (row) => row.nextAttemptAt },
  { title: 'WAITS FOR', kind: 'text', value: (row) => waitsFor(row.reason) },
]

/** The reasons of the API, without what a table of deliveries says anyway. */
function waitsFor(reason: string | null): string | null {
  return reason === null ? null : reason.replaceAll('_', ' ')
}

const attemptColumns: readonly Column<AttemptResource>[] = [
  { title: 'ATTEMPT', value: (row) => row.attemptNo },
  { title: 'STATUS', value: (row) => row.status },
  { title: 'HTTP', value: (row) => row.httpStatus },
  { title: 'ERROR', kind: 'text', value: (row) => row.errorClass },
  { title: 'MS', value: (row) => row.latencyMs },
  { title: 'STARTED', kind: 'age', value: (row) => row.startedAt },
]

interface ListOptions extends PageOptions, TimeRangeOptions {
  readonly state?: DeliveryResource['state']
  readonly subscription?: string
  readonly endpoint?: string
  readonly topic?: string
  readonly error?: string
  readonly event?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'newest first', io)
  list.addOption(new Option('--state <state>', 'in this state').choices(deliveryStates))
  addIdFilter(list, 'endpoint', 'to this endpoint, by its id or uid')
  addIdFilter(list, 'subscription', 'of this subscription')
  addIdFilter(list, 'event', 'of this event')
  list.option('--topic <topic>', 'of exactly this topic')
  list.option('--error <class>', 'whose last attempt failed like this, such as http_503 or timeout')
  addPageOptions(addTimeRange(list, 'published'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const filter = {
      state: options.state,
      endpointId: await resolveEndpointFilter(client, options.endpoint),
      subscriptionId:
        options.subscription && (await resolveId(options.subscription, client.subscriptions.list)),
      topic: options.topic,
      errorClass: options.error,
      eventId: options.event && (await resolveId(options.event, client.events.list)),
      since: options.since,
      until: options.until,
    }
    print.page(
      'Delivery',
      await fillPage(client.deliveries.list, { ...pageQuery(options), ...filter }),
      deliveryColumns,
    )
  })

  const getText = 'one delivery with its attempts; --json has what the endpoint answered'
  addApiCommand(command, 'get <id>', getText, io).run(async ({ client, print, io }, [id = '']) => {
    const delivery = await client.deliveries.get(await resolveId(id, client.deliveries.list))
    const { attempts, ...fields } = delivery
    print.answer('DeliveryDetail', delivery, fields)
    if (attempts.length > 0) {
      print.note(`\n${renderTable(attemptColumns, attempts, { colour: io.isTerminal, width: io.width })}`)
    }
  })

  const resendText = 'send one again that has come to an end, from the first attempt'
  addApiCommand(command, 'resend <id>', resendText, io).run(async ({ client, print }, [id = '']) => {
    print.answer('Resent', await client.deliveries.resend(await resolveId(id, client.deliveries.list)))
  })

  const skipText = 'give up the dead head of an ordering key, so that what is behind it goes on'
  addApiCommand(command, 'skip <id>', skipText, io)
    .option('--reason <text>', 'why, for whoever looks at it')
    .run<{ reason?: string }>(async ({ client, print }, [id = ''], { reason }) => {
      const whole = await resolveId(id, client.deliveries.list)
      print.answer('Skipped', await client.deliveries.skip(whole, { reason }))
    })

  const cancelText = 'end one that waits, or many as a job'
  const cancel = addApiCommand(command, 'cancel [delivery-id]', cancelText, io)
  addManyOptions(cancel, 'made').run<ManyOptions>((context, [id], options) => {
    const { print, client } = context
    return runOneOrMany(context, id, {
      options,
      one: async (whole) => print.answer('Cancelled', await client.deliveries.cancel(whole)),
      many: (body) => client.deliveries.cancelMany(body),
    })
  })
}
