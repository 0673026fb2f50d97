/** `outhook endpoints backfill`. */
import type { Command } from 'commander'
import { addApiCommand } from './api-command.ts'
import { resolveEndpoint } from './endpoint-id.ts'
import { UsageError } from './exit-codes.ts'
import { addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addNoWait, followJob, type WaitOptions } from './job-progress.ts'
import { positiveNumber } from './option-values.ts'

interface BackfillOptions extends TimeRangeOptions, WaitOptions {
  readonly topic?: string
  readonly rate?: number
  readonly dryRun?: boolean
}

export function registerRepair(command: Command, io: CliIo): void {
  const text = 'send it past events that it is subscribed to now and did not get, as a job'
  const backfill = addApiCommand(command, 'backfill <endpoint>', text, io)
  addTimeRange(backfill, 'published')
  backfill
    .option('--topic <topic>', 'of exactly this topic')
    .option('--rate <number>', 'how many a second at most', positiveNumber)
    .option('--dry-run', 'change nothing, and say how many there are')
  addNoWait(backfill).run<BackfillOptions>(async (context, [endpoint = ''], options) => {
    const { client, print } = context
    const { since, until, topic, rate, dryRun } = options
    if (since === undefined) throw new UsageError('--since is missing; say from when on it is to get events')
    const id = await resolveEndpoint(client, endpoint)
    const made = await client.endpoints.backfill(id, { since, until, topic, rate, dry_run: dryRun })
    if ('dry_run' in made) print.object(made)
    else await followJob(context, made, options)
  })
}
