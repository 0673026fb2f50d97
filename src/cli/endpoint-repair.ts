/** `outhook endpoints backfill|test|pause|resume|enable`. */
import { type Command, Option } from 'commander'
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
    const made = await client.endpoints.backfill(id, { since, until, topic, rate, dryRun })
    if ('dryRun' in made) print.answer('DryRun', made)
    else await followJob(context, made, options)
  })

  registerPauses(command, io)
}

function registerPauses(command: Command, io: CliIo): void {
  const testText = 'send it a test event now, and show what it answered; exit code 1 when that is no 2xx'
  addApiCommand(command, 'test <endpoint>', testText, io)
    .option('--topic <topic>', 'of this topic (default outhook.test)')
    .run<{ topic?: string }>(async ({ client, print }, [endpoint = ''], { topic }) => {
      const result = await client.endpoints.test(await resolveEndpoint(client, endpoint), { topic })
      print.answer('EndpointTestResult', result)
      if (!result.succeeded) throw new Error(`the receiver did not take it: ${result.errorClass}`)
    })

  const pauseText = 'send nothing to it until it is resumed; its deliveries wait'
  addApiCommand(command, 'pause <endpoint>', pauseText, io)
    .option('--reason <text>', 'why, for whoever looks at it')
    .run<{ reason?: string }>(async ({ client, print }, [endpoint = ''], { reason }) => {
      print.answer(
        'Endpoint',
        await client.endpoints.pause(await resolveEndpoint(client, endpoint), { reason }),
      )
    })

  for (const [name, text] of [
    ['resume', 'send to it again after a pause by hand'],
    ['enable', 'send to it again, paused by hand or disabled; what waited becomes due'],
  ] as const) {
    const enable = addApiCommand(command, `${name} <endpoint>`, text, io)
    enable.addOption(
      new Option(
        '--backlog <what>',
        'what becomes of what waits: deliver (default), or skip as a job',
      ).choices(['deliver', 'skip']),
    )
    addNoWait(enable).run<EnableOptions>(async (context, [endpoint = ''], { backlog, wait }) => {
      const { client, print } = context
      const id = await resolveEndpoint(client, endpoint)
      const answer = await client.endpoints[name](id, { backlog })
      if ('rate' in answer) await followJob(context, answer, { wait })
      else print.answer('Endpoint', answer)
    })
  }
}

interface EnableOptions extends WaitOptions {
  readonly backlog?: 'deliver' | 'skip'
}
