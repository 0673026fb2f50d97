/** Work on many deliveries at once. */
import type { Job } from '../../../client/index.ts'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { oneOf, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { JobProgress, JobState, nameOf } from './job-state.tsx'

const states = ['', 'queued', 'running', 'paused', 'done', 'cancelled', 'failed'] as const
const kinds = ['', 'replay', 'cancel', 'skip_backlog', 'backfill'] as const
const shape = { state: oneOf(states), kind: oneOf(kinds), cursor: text }

const columns: readonly Column<Job>[] = [
  { title: 'Job', cell: (one) => <a href={hrefOf(pathOf('jobs', one.id))}>{nameOf(one)}</a> },
  { title: 'State', cell: (one) => <JobState of={one} /> },
  { title: 'Progress', cell: (one) => <JobProgress of={one} /> },
  { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
  { title: 'Ended', cell: (one) => (one.endedAt === null ? '–' : <Time at={one.endedAt} />) },
]

export function Page() {
  const [{ state, kind }, set] = useUrlState(shape)
  const page = usePage(
    `jobs ${state} ${kind}`,
    (query, call) =>
      server.jobs.list(
        { ...query, state: state === '' ? undefined : state, kind: kind === '' ? undefined : kind },
        call,
      ),
    { everyMs: 3_000 },
  )
  return (
    <>
      <PageHeading>Jobs</PageHeading>
      <div class="bar filters">
        <label>
          State{' '}
          <select
            value={state}
            onChange={({ currentTarget }) => set({ state: currentTarget.value as typeof state, cursor: '' })}
          >
            {states.map((one) => (
              <option key={one} value={one}>
                {one === '' ? 'any' : one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Kind{' '}
          <select
            value={kind}
            onChange={({ currentTarget }) => set({ kind: currentTarget.value as typeof kind, cursor: '' })}
          >
            {kinds.map((one) => (
              <option key={one} value={one}>
                {one === '' ? 'any' : one.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
        </label>
      </div>
      <KeysetTable
        label="Jobs"
        page={page}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          state === '' && kind === ''
            ? 'There is no job. Replaying dead letters, back-filling an endpoint and skipping a backlog make one.'
            : 'No job is like this. Choose another state or kind.'
        }
      />
    </>
  )
}
