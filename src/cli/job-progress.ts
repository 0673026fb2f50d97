/** Waiting for a job, and how far it has got: a bar that stays on its line of a terminal, a line now and then elsewhere. */
import { setTimeout as wait } from 'node:timers/promises'
import type { JobResource } from '../client/resources.ts'
import { createSystemClock } from '../core/clock.ts'
import type { ApiCommand, ApiContext } from './api-command.ts'
import { counted } from './counted.ts'
import type { CliIo } from './io.ts'

const barWidth = 24
const pollMs = 250
const lineEveryMs = 5000

export interface WaitOptions {
  /** False: `--no-wait`. */
  readonly wait: boolean
}

export function addNoWait<C extends ApiCommand>(command: C): C {
  command.option('--no-wait', 'do not wait for its end; the job goes on by itself either way')
  return command
}

/** Shows the job when it has ended, or at once. @throws when it has failed or was cancelled. */
export async function followJob(context: ApiContext, job: JobResource, options: WaitOptions): Promise<void> {
  const { print } = context
  const last = options.wait ? await untilEnded(context, job) : job
  print.object(last)
  if (!options.wait) print.note(`\nIt goes on by itself: outhook jobs show ${job.id}`)
  if (last.state === 'failed') throw new Error(`the job has failed: ${last.error ?? 'for no known reason'}`)
  if (last.state === 'cancelled') throw new Error('the job was cancelled before its end')
  if (last.failed > 0) {
    const reason = last.error ?? 'for no known reason'
    throw new Error(
      `the job is done, but for ${counted(last.failed, 'delivery', 'deliveries')} that failed: ${reason}`,
    )
  }
}

async function untilEnded({ client, print, io }: ApiContext, job: JobResource): Promise<JobResource> {
  const clock = createSystemClock()
  const shown = print.json ? null : createBar(io, clock)
  for (let now = job; ; ) {
    shown?.show(now)
    if (now.ended_at !== null) {
      shown?.end()
      return now
    }
    await wait(pollMs)
    now = await client.jobs.get(job.id)
  }
}

type Terminal = Pick<CliIo, 'isTerminal' | 'print' | 'printBytes'>

function createBar(io: Terminal, clock: { elapsed(): number }) {
  let lineAt = clock.elapsed()
  return {
    show(job: JobResource): void {
      if (io.isTerminal) {
        // To the beginning of the line, and what was there is erased.
        io.printBytes(new TextEncoder().encode(`\r\u001b[2K${renderBar(job)}`))
        return
      }
      if (clock.elapsed() - lineAt < lineEveryMs) return
      lineAt = clock.elapsed()
      io.print(renderLine(job))
    },
    end(): void {
      if (io.isTerminal) io.print('')
    },
  }
}

function renderBar(job: JobResource): string {
  if (job.total === null) return renderLine(job)
  const share =
    job.ended_at !== null ? 1 : Math.min(1, (job.done + job.skipped + job.failed) / Math.max(job.total, 1))
  const filled = Math.floor(share * barWidth)
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${Math.floor(share * 100)}% ${renderLine(job)}`
}

function renderLine({ kind, state, total, done, skipped, failed }: JobResource): string {
  if (total === null) return `${kind}: ${state}, counting`
  return `${kind}: ${done} of ${total} done, ${skipped} skipped, ${failed} failed`
}
