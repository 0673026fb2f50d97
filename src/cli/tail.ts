/** What happens on the server, one line each, until somebody ends it. */
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { StreamedItem } from '../client/index.ts'
import { toSnakeCase } from '../client/member-names.ts'
import { createSystemClock } from '../core/clock.ts'
import { formatWait } from '../core/duration.ts'
import { type StreamKind, streamKinds } from '../core/stream-item.ts'
import { finishApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { collect, oneOf } from './option-values.ts'
import { shortenId } from './short-id.ts'

interface TailOptions {
  readonly kind?: readonly StreamKind[]
  readonly topic?: string
  readonly endpoint?: string
  readonly tenant?: string
}

export function register(command: Command, io: CliIo): void {
  const oneKind = oneOf(streamKinds)
  command
    .option(
      '--kind <kind>',
      `only these, may be repeated: ${streamKinds.join(', ')}`,
      (value: string, previous: readonly string[] | undefined) => collect(oneKind(value), previous),
    )
    .option('--topic <pattern>', 'only what is of these topics, such as orders.created or "orders.*"')
    .addHelpText(
      'after',
      '\nA live tail: what happened before, or while it was not connected, is in the lists of "outhook events" and' +
        '\n"outhook deliveries". Without --tenant an admin token of all tenants is told of all.' +
        '\n\nExample:\n  outhook tail --kind delivery --topic "orders.*"',
    )
  addIdFilter(command, 'endpoint', 'only what is of this endpoint, by its id or uid')
  finishApiCommand(command, io).run<TailOptions>(async ({ client, print }, _args, options) => {
    const stopping = new AbortController()
    const stopListening = io.signals.onSignal(() => stopping.abort())
    const query = {
      kinds: options.kind,
      topicPattern: options.topic,
      endpointId: await resolveEndpointFilter(client, options.endpoint),
    }
    try {
      for await (const item of client.stream(query, { signal: stopping.signal })) {
        io.print(
          print.json ? JSON.stringify(toSnakeCase(item, 'StreamItem')) : renderItem(item, io.isTerminal),
        )
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error
    } finally {
      stopListening()
    }
  })
}

/** `12:00:01  ✓ attempt   orders.created  200  4 ms  attempt 1  dlv_…7can9tf7` */
export function renderItem(item: StreamedItem, colour: boolean): string {
  const { mark, style, parts } = describe(item)
  const head = `${mark} ${item.kind.padEnd(8)}`
  const time = item.at.slice(11, 19)
  const shown = colour ? styleText(style, head, { validateStream: false }) : head
  return [time, shown, ...parts.filter((part) => part !== null)].join('  ')
}

interface Described {
  readonly mark: string
  readonly style: 'green' | 'yellow' | 'red' | 'cyan' | 'dim'
  readonly parts: readonly (string | null)[]
}

const good = { mark: '✓', style: 'green' } as const
const waits = { mark: '↻', style: 'yellow' } as const
const bad = { mark: '✗', style: 'red' } as const
const neutral = { mark: '·', style: 'cyan' } as const

function describe(item: StreamedItem): Described {
  switch (item.kind) {
    case 'event': {
      const count = item.deliveries === 1 ? '1 delivery' : `${item.deliveries} deliveries`
      return { ...neutral, parts: [item.topic ?? '(direct)', count, shortenId(item.eventId)] }
    }
    case 'attempt': {
      const { topic, status, errorClass, httpStatus, latencyMs, attemptNo, deliveryId } = item
      const look = { success: good, retryable_failure: waits, permanent_failure: bad }[status]
      const result = String(errorClass ?? httpStatus ?? '-')
      const parts = [
        topic ?? '(direct)',
        result,
        `${latencyMs} ms`,
        `attempt ${attemptNo}`,
        shortenId(deliveryId),
      ]
      return { ...look, parts }
    }
    case 'delivery': {
      const { topic, state, errorClass, nextAttemptAt, deliveryId } = item
      const look = state === 'succeeded' ? good : state === 'dead_lettered' ? bad : waits
      const parts = [topic ?? '(direct)', state, errorClass, nextIn(nextAttemptAt), shortenId(deliveryId)]
      return { ...look, parts }
    }
    case 'endpoint': {
      const { change, reason, endpointId } = item
      const isBad = change === 'disabled' || change === 'paused'
      return { ...(isBad ? bad : neutral), parts: [change, reason, shortenId(endpointId)] }
    }
    case 'job': {
      const { jobKind, state, done, total, jobId } = item
      return {
        ...neutral,
        parts: [jobKind, state, total === null ? `${done}` : `${done} of ${total}`, shortenId(jobId)],
      }
    }
    case 'missed':
      return { mark: '!', style: 'yellow', parts: [missedText(item)] }
    case 'started':
      return { mark: '·', style: 'dim', parts: ['from here on; Ctrl-C ends it'] }
  }
}

function missedText({ reason, count }: Extract<StreamedItem, { readonly kind: 'missed' }>): string {
  if (reason === 'reconnected')
    return 'the connection was lost for a while; what happened then is not shown here'
  const some = count === null ? 'some' : `${count}`
  if (reason === 'too_many') return `${some} more, which is more than is shown; name what you want to see`
  return `${some} of other processes, which were not told here`
}

function nextIn(at: string | null): string | null {
  if (at === null) return null
  return `again in ${formatWait(Math.max(0, Date.parse(at) - createSystemClock().now()))}`
}
