/** Sending dead letters again: one, those that are selected, or all that match, as a job. */
import { useState } from 'preact/hooks'
import type { Job, ReplayMany } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { hrefOf } from '../../kit/address.ts'
import { Facts, Problem } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { asNumberOrNull } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { messageOf, server } from '../../server.ts'
import { JobActions } from '../jobs/job-actions.tsx'
import { JobProgress, JobState } from '../jobs/job-state.tsx'

type Filter = Omit<ReplayMany, 'all' | 'rate' | 'dryRun'>

export function useReplay(onDone: () => void): (id: string) => Promise<string> {
  const { call } = useSession()
  return async (id) => {
    await server.deadLetters.replay(id, call)
    onDone()
    return 'It is sent again, from the first attempt.'
  }
}

interface SelectedProps {
  readonly selected: readonly string[]
  readonly onDone: () => void
}

export function ReplaySelected({ selected, onDone }: SelectedProps) {
  const { call } = useSession()
  const [done, setDone] = useState<number | null>(null)
  const replay = async () => {
    const problems: string[] = []
    try {
      for (const [index, id] of selected.entries()) {
        setDone(index)
        await server.deadLetters
          .replay(id, call)
          .catch((error: unknown) => void problems.push(messageOf(error)))
      }
    } finally {
      setDone(null)
    }
    onDone()
    const sent = selected.length - problems.length
    if (problems.length > 0)
      throw new Error(`${sent} of ${selected.length} are sent again. The others: ${problems[0]}`)
    return `${sent} are sent again, from the first attempt.`
  }
  return (
    <p class="bar">
      <ActButton
        needs="operator"
        whyNot={selected.length === 0 ? 'Select some in the list first.' : null}
        act={replay}
      >
        Replay the selected ({selected.length})
      </ActButton>
      {done !== null && (
        <progress aria-label="Dead letters that are sent again" max={selected.length} value={done} />
      )}
    </p>
  )
}

interface AllProps {
  readonly filter: Filter
  readonly onDone: () => void
}

export function ReplayAll({ filter, onDone }: AllProps) {
  const [isAsked, setAsked] = useState(false)
  const close = () => {
    setAsked(false)
    onDone()
  }
  return (
    <>
      <ActButton
        needs="operator"
        act={() => {
          setAsked(true)
          return undefined
        }}
      >
        Replay all that match
      </ActButton>
      {isAsked && <AskForAll filter={filter} onClose={close} />}
    </>
  )
}

function AskForAll({ filter, onClose }: { readonly filter: Filter; readonly onClose: () => void }) {
  const { call } = useSession()
  const [jobId, setJobId] = useState<string | null>(null)
  const all = Object.keys(filter).length === 0 ? { all: true } : {}
  const counted = useAnswer(`dry run ${JSON.stringify(filter)}`, (options) =>
    server.deadLetters.replayMany({ ...filter, ...all, dryRun: true }, options),
  )
  const start = async (values: FormValues) => {
    const rate = asNumberOrNull('rate')(values('rate')) ?? undefined
    const made = await server.deadLetters.replayMany({ ...filter, ...all, rate }, call)
    if ('id' in made) setJobId(made.id)
  }
  const count = counted.value !== null && 'matching' in counted.value ? counted.value : null
  return (
    <Dialog title="Replay all that match" onClose={onClose}>
      {jobId !== null ? (
        <Progress id={jobId} onClose={onClose} />
      ) : (
        <Form submit="Replay them" needs="operator" onSubmit={start} onCancel={onClose}>
          {counted.problem !== null && (
            <Problem what="They could not be counted" why={counted.problem} onAgain={counted.again} />
          )}
          <p>
            {count === null
              ? 'They are counted …'
              : `${count.matching}${count.complete ? '' : ' or more'} are sent again, from the first attempt. `}
            {count !== null &&
              count.skipped > 0 &&
              `${count.skipped} cannot be: their payload or endpoint is gone.`}
          </p>
          <Facts of={Object.entries(filter).map(([name, value]) => [nameOfFilter(name), value] as const)} />
          <TextField
            name="rate"
            label="Deliveries a second at most"
            hint="Empty: as fast as the store takes them. The receiver may be glad of a limit."
          />
        </Form>
      )}
    </Dialog>
  )
}

function nameOfFilter(name: string): string {
  const names: Readonly<Record<string, string>> = {
    since: 'Given up from',
    until: 'Given up before',
    endpointId: 'Endpoint',
    topic: 'Topic',
    errorClass: 'Reason',
  }
  return names[name] ?? name
}

const untilEnded = ({ endedAt }: Job) => (endedAt === null ? 500 : null)

function Progress({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { value, problem, again, put } = useAnswer(`job ${id}`, (call) => server.jobs.get(id, call), {
    everyMs: untilEnded,
  })
  return (
    <>
      {problem !== null && <Problem what="The job could not be read" why={problem} onAgain={again} />}
      {value !== null && (
        <>
          <p>
            <JobState of={value} />
          </p>
          <JobProgress of={value} />
          {value.error !== null && <p class="wrong">{value.error}</p>}
        </>
      )}
      <p class="hint">
        It goes on by itself when this is closed: <a href={hrefOf(pathOf('jobs', id))}>the page of the job</a>
        .
      </p>
      <div class="bar">
        {value !== null && (
          <JobActions
            job={value}
            onChange={(job) => {
              put(job)
              again()
            }}
          />
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  )
}
