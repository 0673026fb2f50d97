import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { finishApiCommand } from './api-command.ts'
import { addEventOptions, type EventOptions, eventMembers } from './event-options.ts'
import { beingMade, noReceiver, waitForEvent } from './events.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'

interface PublishOptions extends EventOptions {
  readonly file?: string
  readonly orderingKey?: string
}

export function register(command: Command, io: CliIo): void {
  command
    .argument('<topic>', 'what happened, such as orders.created')
    .argument('[payload]', 'JSON; "-" or nothing reads it from standard input')
    .option('--file <path>', 'read the payload from a file')
    .option('--idempotency-key <key>', 'publishing twice with the same key makes one event')
    .option('--ordering-key <key>', 'what has to stay in order')
  addEventOptions(command).addHelpText(
    'after',
    '\nExample:\n  outhook publish orders.created \'{"id":1}\' --wait',
  )
  finishApiCommand(command, io).run<PublishOptions>(async (context, [topic = '', payload], options) => {
    const published = await context.client.send({
      topic,
      body: await readPayload(payload, options.file, io),
      orderingKey: options.orderingKey,
      ...eventMembers(options, io),
    })
    for (const { message } of published.warnings ?? []) context.print.note(`warning: ${message}`)
    if (options.wait === undefined) {
      const { eventId, deliveryIds, state, filteredSubscriptions } = published
      if (state === 'accepted') {
        context.print.answer('PublishReceipt', published, { eventId, state })
        context.print.note(`\n${beingMade}`)
        return
      }
      context.print.answer('PublishReceipt', published, { eventId, deliveries: deliveryIds.length })
      if (deliveryIds.length === 0) context.print.note(`\n${noReceiver(topic, filteredSubscriptions)}`)
      return
    }
    await waitForEvent(context, published.eventId, options.wait === true ? undefined : options.wait)
  })
}

async function readPayload(
  argument: string | undefined,
  file: string | undefined,
  io: CliIo,
): Promise<string> {
  if (file !== undefined && argument !== undefined) throw new UsageError('give a payload or --file, not both')
  const text = await readText(argument, file, io)
  try {
    JSON.parse(text)
  } catch (error) {
    throw new UsageError(`the payload is not JSON (${(error as Error).message}); text needs quotes: '"text"'`)
  }
  return text
}

async function readText(argument: string | undefined, file: string | undefined, io: CliIo): Promise<string> {
  if (file === undefined) return argument === undefined || argument === '-' ? io.readInput() : argument
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
