/** One job, while it goes on. */
import type { Job } from '../../../client/index.ts'
import { hrefOf } from '../../kit/address.ts'
import { CopyButton, Facts, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { pathOf } from '../../kit/match-path.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { JobActions } from './job-actions.tsx'
import { JobProgress, JobState, nameOf } from './job-state.tsx'

/** What has ended stays as it is. */
const untilEnded = ({ endedAt }: Job) => (endedAt === null ? 1_000 : null)

export function Page({ params: { id = '' } }: PageProps) {
  const answer = useAnswer(`job ${id}`, (call) => server.jobs.get(id, call), { everyMs: untilEnded })
  const { value: job, problem, again, put } = answer
  const change = (changed: Job) => {
    put(changed)
    again()
  }
  return (
    <>
      <PageHeading
        title={job === null ? 'Job' : `Job: ${nameOf(job)}`}
        actions={
          job !== null && job.endedAt === null ? <JobActions job={job} onChange={change} /> : undefined
        }
      >
        Job{job !== null && `: ${nameOf(job)}`}
      </PageHeading>
      {problem !== null && <Problem what="The job could not be read" why={problem} onAgain={again} />}
      {job === null && problem === null && <Loading />}
      {job !== null && <JobFacts job={job} />}
    </>
  )
}

function JobFacts({ job }: { readonly job: Job }) {
  const { filter, rate, error, startedAt, endedAt } = job
  return (
    <>
      <Part title="How far it is">
        <JobProgress of={job} />
        <Facts
          of={[
            ['State', <JobState key="state" of={job} />],
            ['Error', error],
            ['Made', <Time key="made" at={job.createdAt} />],
            ['Begun', startedAt && <Time at={startedAt} />],
            ['Ended', endedAt && <Time at={endedAt} />],
          ]}
        />
      </Part>
      <Part title="What it is about">
        <Facts
          of={[
            [
              'Id',
              <>
                <code>{job.id}</code> <CopyButton label="id" text={job.id} />
              </>,
            ],
            [
              'Endpoint',
              filter.endpointId && (
                <a href={hrefOf(pathOf('endpoints', filter.endpointId))}>{filter.endpointId}</a>
              ),
            ],
            ['Topic', filter.topic],
            ['Error', filter.errorClass],
            ['From', filter.since && <Time at={filter.since} />],
            ['Before', filter.until && <Time at={filter.until} />],
            ['Deliveries a second at most', rate === null ? 'as fast as the store takes them' : rate],
          ]}
        />
      </Part>
    </>
  )
}
