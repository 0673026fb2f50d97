/** Waiting for a job, and how far it has got. */
import { setTimeout as wait } from 'node:timers/promises'
import type { JobResource } from '../client/resources.ts'
import type { ApiCommand, ApiContext } from './api-command.ts'
import { createBar, followMs } from './bar.ts'
import { counted } from './counted.ts'

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
  print.answer('Job', last)
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
  const shown = print.json ? null : createBar(io)
  for (let now = job; ; ) {
    shown?.show({ share: shareOf(now), line: renderLine(now) })
    if (now.endedAt !== null) {
      shown?.end()
      return now
    }
    await wait(followMs)
    now = await client.jobs.get(job.id)
  }
}

function shareOf({ total, done, skipped, failed, endedAt }: JobResource): number | null {
  if (total === null) return null
  return endedAt !== null ? 1 : Math.min(1, (done + skipped + failed) / Math.max(total, 1))
}

function renderLine({ kind, state, total, done, skipped, failed }: JobResource): string {
  if (total === null) return `${kind}: ${state}, counting`
  return `${kind}: ${done} of ${total} done, ${skipped} skipped, ${failed} failed`
}
