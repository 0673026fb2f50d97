/** Sends again, as one job, all that was given up since a moment, and shows how far it is. */
import { useState } from 'preact/hooks'
import type { Job } from '../../client/index.ts'
import { now } from '../clock.ts'
import { fromLocal, toLocal } from '../kit/local-time.ts'
import { t } from './locales.ts'
import { Act, Field, Form, Part, Shown } from './parts.tsx'
import { useAsk, useSession } from './session.tsx'

const dayMs = 86_400_000

export function Recover({ endpointId }: { readonly endpointId?: string }) {
  const { server } = useSession()
  const [found, setFound] = useState<{ readonly since: string; readonly count: number } | null>(null)
  const [job, setJob] = useState<Job | null>(null)
  const filterOf = (since: string) => ({ since, ...(endpointId !== undefined && { endpointId }) })
  const count = async (values: (name: string) => string) => {
    const since = fromLocal(values('since'))
    const counted = await server.deadLetters.replayMany({ ...filterOf(since), dryRun: true })
    setJob(null)
    setFound({ since, count: 'matching' in counted ? counted.matching : 0 })
  }
  const start = async () => {
    const made = await server.deadLetters.replayMany(filterOf(found?.since ?? ''))
    if ('id' in made) setJob(made)
    setFound(null)
    return undefined
  }
  return (
    <Part title={t('recover')}>
      <p class="hint">{t('recoverHint')}</p>
      <Form submit={t('recover')} onSubmit={count}>
        <Field
          name="since"
          label={t('since')}
          type="datetime-local"
          value={toLocal(new Date(now() - dayMs).toISOString())}
          isRequired
        />
      </Form>
      {found !== null && (
        <p role="status">
          {found.count === 0 ? t('recoverNone') : t('recoverCount', { count: found.count })}{' '}
          {found.count > 0 && <Act act={start}>{t('recoverStart')}</Act>}
        </p>
      )}
      {job !== null && <Progress key={job.id} id={job.id} />}
    </Part>
  )
}

function Progress({ id }: { readonly id: string }) {
  const asked = useAsk(`job ${id}`, (server) => server.jobs.get(id), 1_000)
  return (
    <Shown of={asked}>
      {(job) => {
        const handled = job.done + job.skipped + job.failed
        const total = job.total ?? handled
        return (
          <div role="status">
            {job.endedAt === null && <progress aria-label={t('recover')} max={total || 1} value={handled} />}
            {job.error !== null
              ? t('recoverFailed', { why: job.error })
              : t(job.endedAt === null ? 'recovering' : 'recovered', { done: job.done, total })}
          </div>
        )
      }}
    </Shown>
  )
}
