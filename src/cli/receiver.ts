import type { Command } from 'commander'
import type { ReceivedRequest, ReceiverOptions } from '../testing/receiver.ts'
import { startReceiver } from '../testing/receiver.ts'
import { receiverModes } from '../testing/receiver-modes.ts'
import type { CliIo } from './io.ts'
import { wholeNumber } from './option-values.ts'
import { runUntilSignal } from './until-signal.ts'
import { wrap } from './wrap.ts'

interface Options {
  readonly host: string
  readonly port: number
  readonly secret?: string
  readonly json?: boolean
}

export function register(command: Command, io: CliIo): void {
  command
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes any free one', wholeNumber(0, 65_535), 3000)
    .option('--secret <secret>', 'check signatures with this endpoint secret, answer 401 to wrong ones')
    .option('--json', 'print one JSON object per request')
    .addHelpText('after', modesHelp())
  command.action(async () => {
    const { host, port, secret, json = false } = command.opts<Options>()
    const onRequest = (request: ReceivedRequest) => io.print(renderRequest(request, json))
    const options: ReceiverOptions = { host, port, onRequest, keepRequests: 0 }
    await runUntilSignal(io, async () => {
      const receiver = await startReceiver(secret === undefined ? options : { ...options, secret })
      io.print(json ? JSON.stringify({ url: receiver.url }) : `test receiver at ${receiver.url}`)
      return receiver
    })
  })
}

/** `200  orders.created  /fail/1  dlv_…  {"id":1}` */
function renderRequest(request: ReceivedRequest, json: boolean): string {
  const { status, path, topic, verified, deliveryId, eventId } = request
  const body = Buffer.from(request.body).toString('utf8')
  if (json) {
    return JSON.stringify({ status, path, topic, verified, delivery_id: deliveryId, event_id: eventId, body })
  }
  const signature = { true: ['signature ok'], false: ['BAD SIGNATURE'], null: [] }[`${verified}`]
  const shownBody = body.length > 200 ? `${body.slice(0, 200)}…` : body
  const parts = [status ?? 'dropped', topic ?? '-', path, ...signature, deliveryId ?? '-', shownBody]
  return parts.join('  ').replace(/\p{Cc}/gu, ' ')
}

function modesHelp(): string {
  const width = Math.max(...receiverModes.map(([path]) => path.length))
  const lines = receiverModes.map(([path, meaning]) =>
    wrap(`  ${path.padEnd(width)}  ${meaning}`, { indent: width + 4 }),
  )
  return `
Paths, and how each answers:
${lines.join('\n')}
Questions:
  GET /received?delivery_id=ID   how often that delivery came
  GET /stats                     {"receipts","distinct_deliveries","duplicates"}`
}
