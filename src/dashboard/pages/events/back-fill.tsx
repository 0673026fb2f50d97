/** Sends an event to an endpoint that did not get it. */
import type { Endpoint, EventStatus } from '../../../client/index.ts'
import { hrefOf } from '../../kit/address.ts'
import { Loading, Problem } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, SelectField } from '../../kit/form.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'

interface BackFillProps {
  readonly of: EventStatus
  readonly onDone: () => void
  readonly onClose: () => void
}

export function BackFill({ of, onDone, onClose }: BackFillProps) {
  const { call } = useSession()
  const tell = useTell()
  const { value, problem, again } = useAnswer('endpoints to back-fill', (options) =>
    server.endpoints.list({ limit: 200 }, options),
  )
  const fill = async (values: FormValues) => {
    const job = await server.endpoints.backfill(
      values('endpoint_id'),
      {
        since: of.createdAt,
        until: new Date(Date.parse(of.createdAt) + 1).toISOString(),
        ...(of.topic !== null && { topic: of.topic }),
      },
      call,
    )
    tell(
      'id' in job ? (
        <>
          It is on its way: <a href={hrefOf(pathOf('jobs', job.id))}>see how far it is</a>.
        </>
      ) : (
        'It is on its way.'
      ),
    )
    onDone()
    onClose()
  }
  return (
    <Dialog title="Send it to an endpoint that did not get it" onClose={onClose}>
      {problem !== null && <Problem what="Endpoints could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && (
        <Form submit="Back-fill" needs="operator" onSubmit={fill} onCancel={onClose}>
          <p>
            The endpoint gets the event if a subscription of it wants the topic and the payload, and if it did
            not get it before. So does it get others of this topic of the same millisecond.
          </p>
          <SelectField
            name="endpoint_id"
            label="Endpoint"
            hint={
              value.nextCursor === ''
                ? undefined
                : 'The newest 200; for another one use its own page or the command line.'
            }
            options={value.items.map((one: Endpoint) => [one.id, nameOf(one)])}
          />
        </Form>
      )}
    </Dialog>
  )
}

function nameOf({ uid, description, url, id }: Endpoint): string {
  return `${uid ?? (description === '' ? url : description)} (${id})`
}
