import type { Job } from '../../../client/index.ts'
import { Badge } from '../../kit/detail.tsx'

export function JobState({ of }: { readonly of: Job }) {
  const isBad = of.state === 'failed' || of.failed > 0
  return <Badge is={isBad ? 'bad' : of.state === 'done' ? 'good' : 'plain'}>{of.state}</Badge>
}

/** How far it has got: a bar, and the figures in words. */
export function JobProgress({ of }: { readonly of: Job }) {
  const { total, done, skipped, failed, endedAt } = of
  const past = done + skipped + failed
  return (
    <div class="countdown">
      <progress
        aria-label="How far the job is"
        max={Math.max(total ?? 1, past, 1)}
        value={endedAt !== null && of.state === 'done' ? Math.max(total ?? 1, past, 1) : past}
      />
      <span>
        {total === null ? 'counting' : `${done} of ${total} done`}
        {skipped > 0 && `, ${skipped} skipped`}
        {failed > 0 && `, ${failed} failed`}
      </span>
    </div>
  )
}

const kinds: Readonly<Record<Job['kind'], string>> = {
  replay: 'replay of dead letters',
  cancel: 'cancelling what waits',
  skip_backlog: 'skipping a backlog',
  backfill: 'back-fill',
}

export function nameOf({ kind }: Job): string {
  return kinds[kind] ?? kind
}
