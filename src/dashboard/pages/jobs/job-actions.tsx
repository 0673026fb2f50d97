/** Pause, resume and cancel of a job; what it answers is shown at once. */
import { useState } from 'preact/hooks'
import type { Job } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form } from '../../kit/form.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'

interface JobActionsProps {
  readonly job: Job
  readonly onChange: (job: Job) => void
}

export function JobActions({ job, onChange }: JobActionsProps) {
  const { call } = useSession()
  const [isAsked, setAsked] = useState(false)
  if (job.endedAt !== null) return null
  const cancel = async () => {
    onChange(await server.jobs.cancel(job.id, call))
    setAsked(false)
  }
  return (
    <>
      {job.state === 'paused' ? (
        <ActButton
          needs="operator"
          act={async () => {
            onChange(await server.jobs.resume(job.id, call))
            return 'The job goes on.'
          }}
        >
          Resume
        </ActButton>
      ) : (
        <ActButton
          needs="operator"
          act={async () => {
            onChange(await server.jobs.pause(job.id, call))
            return 'The job is paused.'
          }}
        >
          Pause
        </ActButton>
      )}
      <ActButton
        needs="operator"
        class="danger"
        act={() => {
          setAsked(true)
          return undefined
        }}
      >
        Cancel the job
      </ActButton>
      {isAsked && (
        <Dialog title="Cancel the job" onClose={() => setAsked(false)}>
          <Form submit="Cancel the job" needs="operator" onSubmit={cancel} onCancel={() => setAsked(false)}>
            <p>What is done stays done; nothing more is. To go on later, pause it instead.</p>
          </Form>
        </Dialog>
      )}
    </>
  )
}
