/** Commands that are about one delivery, named by its id, or about many, which a filter names and a job does. */
import type { DryRun, Job, ReplayMany } from '../client/generated/types.ts'
import type { ApiCommand, ApiContext } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { UsageError } from './exit-codes.ts'
import { addIdFilter, addTimeRange, type TimeRangeOptions } from './filter-options.ts'
import { addNoWait, followJob, type WaitOptions } from './job-progress.ts'
import { positiveNumber } from './option-values.ts'
import { resolveId } from './short-id.ts'

export interface ManyOptions extends TimeRangeOptions, WaitOptions {
  readonly endpoint?: string
  readonly topic?: string
  readonly all?: boolean
  readonly rate?: number
  readonly dryRun?: boolean
}

/** `of` completes "those … at or after this". */
export function addManyOptions<C extends ApiCommand>(command: C, of: string): C {
  addIdFilter(command, 'endpoint', 'those to this endpoint, by its id or uid')
  command.option('--topic <topic>', 'those of exactly this topic')
  addTimeRange(command, `those ${of}`)
  command
    .option('--all', 'all there are; must be said when nothing else is')
    .option('--rate <number>', 'how many a second at most', positiveNumber)
    .option('--dry-run', 'change nothing, and say how many there are')
  return addNoWait(command)
}

interface OneOrMany {
  readonly options: ManyOptions
  /** What the command asks for besides. */
  readonly filter?: ReplayMany
  /** Does it, and shows it. */
  one(id: string): Promise<void>
  many(body: ReplayMany): Promise<DryRun | Job>
}

export async function runOneOrMany(
  context: ApiContext,
  id: string | undefined,
  { options, filter = {}, one, many }: OneOrMany,
): Promise<void> {
  const { client, print } = context
  const { endpoint, topic, since, until, all, rate, dryRun } = options
  const named = { topic, since, until, all, ...filter }
  const isFiltered = [endpoint, ...Object.values(named)].some((value) => value !== undefined)
  if (id !== undefined) {
    // Whoever names one delivery and a filter may mean either.
    if (isFiltered || rate !== undefined || dryRun !== undefined) {
      throw new UsageError('give the id of one delivery, or options for many, not both')
    }
    await one(await resolveId(id, client.deliveries.list))
    return
  }
  // Whoever forgot the filter would mean all.
  if (!isFiltered) {
    throw new UsageError('say which: the id of one delivery, a filter such as --endpoint, or --all')
  }
  const body = { endpointId: await resolveEndpointFilter(client, endpoint), ...named, rate }
  const made = await many({ ...body, dryRun })
  if ('dryRun' in made) print.answer('DryRun', made)
  else await followJob(context, made, options)
}
