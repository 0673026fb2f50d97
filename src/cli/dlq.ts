import type { Command } from 'commander'
import type { DeadLetterResource } from '../client/resources.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { UsageError } from './exit-codes.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addNoWait, followJob, type WaitOptions } from './job-progress.ts'
import { positiveNumber } from './option-values.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { resolveId } from './short-id.ts'
import type { Column } from './table.ts'

const columns: readonly Column<DeadLetterResource>[] = [
  { title: 'DELIVERY', kind: 'id', value: (row) => row.delivery_id },
  { title: 'TOPIC', kind: 'text', value: (row) => row.topic },
  { title: 'ENDPOINT', kind: 'id', value: (row) => row.endpoint_id },
  { title: 'ERROR', kind: 'text', value: (row) => row.final_error },
  { title: 'TRIES', value: (row) => row.attempt_count },
  { title: 'GIVEN UP', kind: 'age', value: (row) => row.dead_at },
]

interface ListOptions extends PageOptions, TimeRangeOptions {
  readonly endpoint?: string
  readonly topic?: string
}

export function register(command: Command, io: CliIo): void {
  const list = addApiCommand(command, 'list', 'deliveries that were given up, newest first', io)
  addIdFilter(list, 'endpoint', 'to this endpoint, by its id or uid')
  list.option('--topic <topic>', 'of exactly this topic')
  addPageOptions(addTimeRange(list, 'given up'))
  list.run<ListOptions>(async ({ client, print }, _args, options) => {
    const { topic, since, until } = options
    const filter = { endpoint_id: await resolveEndpointFilter(client, options.endpoint), topic, since, until }
    print.page(await client.deadLetters.list({ ...pageQuery(options), ...filter }), columns)
  })

  registerReplay(command, io)
}

interface ReplayOptions extends TimeRangeOptions, WaitOptions {
  readonly endpoint?: string
  readonly topic?: string
  readonly error?: string
  readonly all?: boolean
  readonly rate?: number
  readonly dryRun?: boolean
}

function registerReplay(command: Command, io: CliIo): void {
  const text = 'send one again, or many as a job, from the first attempt'
  const replay = addApiCommand(command, 'replay [delivery-id]', text, io)
  addIdFilter(replay, 'endpoint', 'those to this endpoint, by its id or uid')
  replay.option('--topic <topic>', 'those of exactly this topic')
  addTimeRange(replay, 'those given up')
  replay
    .option('--error <class>', 'those whose last error is of this class, such as http_503 or timeout')
    .option('--all', 'all there are; must be said when nothing else is')
    .option('--rate <number>', 'how many a second at most', positiveNumber)
    .option('--dry-run', 'change nothing, and say how many there are')
  addNoWait(replay).run<ReplayOptions>(async (context, [id], options) => {
    const { client, print } = context
    const { topic, since, until, error, all, rate, dryRun } = options
    const filter = { topic, since, until, error_class: error, all, rate }
    if (id !== undefined) {
      refuseWithId({ ...filter, endpoint: options.endpoint, dryRun })
      print.object(await client.deadLetters.replay(await resolveId(id, client.deliveries.list)))
      return
    }
    refuseNothing({ ...filter, endpoint: options.endpoint })
    const body = { endpoint_id: await resolveEndpointFilter(client, options.endpoint), ...filter }
    if (dryRun === true) print.object(await client.deadLetters.countReplay(body))
    else await followJob(context, await client.deadLetters.replayMany(body), options)
  })
}

/** Whoever forgot the filter would send everything again. */
function refuseNothing({ rate: _rate, ...filter }: Readonly<Record<string, unknown>>): void {
  const given = Object.values(filter).some((value) => value !== undefined)
  if (!given) throw new UsageError('say which: the id of one delivery, a filter such as --endpoint, or --all')
}

/** Whoever names one delivery and a filter may mean either. */
function refuseWithId(options: Readonly<Record<string, unknown>>): void {
  const given = Object.values(options).some((value) => value !== undefined)
  if (given) throw new UsageError('give the id of one delivery, or options for many, not both')
}
