/** What `outhook publish` and `outhook send` have in common beside their payload. */
import type { Command } from 'commander'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { durationMs, pair } from './option-values.ts'

export interface EventOptions {
  readonly deliverAt?: string
  readonly delay?: number
  readonly idempotencyKey?: string
  readonly meta?: Readonly<Record<string, string>>
  readonly traceparent?: string
  readonly tracestate?: string
  readonly wait?: number | true
}

export function addEventOptions(command: Command): Command {
  return command
    .option('--deliver-at <time>', 'make no attempt before this time, such as 2026-12-24T18:00:00Z')
    .option('--delay <duration>', 'make no attempt before so long from now, such as 15m', durationMs)
    .option('--traceparent <value>', 'W3C trace context to keep with it (TRACEPARENT)')
    .option('--tracestate <value>', 'goes with --traceparent (TRACESTATE)')
    .option('--meta <name=value>', 'sent along as the header outhook-meta-<name> (repeatable)', pair('='))
    .option(
      '--wait [duration]',
      'wait until it is delivered (default 30s); exit code 1 if it is not',
      durationMs,
    )
}

/** As the client takes them. */
export function eventMembers(options: EventOptions, io: Pick<CliIo, 'env'>) {
  const { meta: metadata, idempotencyKey, deliverAt, delay } = options
  return { metadata, idempotencyKey, deliverAt, delay, ...traceOf(options, io) }
}

/** From the environment both or none: a state belongs to its parent. */
function traceOf({ traceparent, tracestate }: EventOptions, { env }: Pick<CliIo, 'env'>) {
  if (traceparent === undefined && tracestate !== undefined) {
    throw new UsageError('--tracestate goes with --traceparent only')
  }
  return traceparent === undefined
    ? { traceparent: env.TRACEPARENT, tracestate: env.TRACESTATE }
    : { traceparent, tracestate }
}
