/** How a job leaves a delivery that the store refuses to change: written once for both databases. */
import { type JobWork, type JobWorkDone, readPass } from './job-rows.ts'
import type { Walked } from './job-walk.ts'

/** What is walked over to find the delivery that the store refuses. */
export function passedWork(work: JobWork): JobWork {
  return { ...work, limit: 1, cursor: hasPasses(work) ? readPass(work.cursor).after : work.cursor }
}

/** It is left, and the next slice goes on behind it. */
export function passOver(work: JobWork, { found, skipped, last }: Walked<unknown>): JobWorkDone {
  const passed = { done: 0, failed: found.length, isDue: false }
  if (!hasPasses(work)) return { ...passed, skipped, cursor: last ?? work.cursor }
  const { after, isBusy } = readPass(work.cursor)
  return {
    ...passed,
    skipped: 0,
    cursor: JSON.stringify({ after: last ?? after, isBusy: isBusy || skipped > 0 }),
  }
}

function hasPasses({ kind }: Pick<JobWork, 'kind'>): boolean {
  return kind === 'cancel' || kind === 'skip_backlog'
}
