/** What can be done about an endpoint. What cannot be taken back asks first. */
import { useState } from 'preact/hooks'
import type { Endpoint } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf } from '../../kit/address.ts'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, SelectField, TextField } from '../../kit/form.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { type Answer, useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'

interface ActionsProps {
  readonly endpoint: Endpoint
  readonly answer: Answer<Endpoint>
}

type Asked = 'pause' | 'resume' | 'enable' | 'disable' | 'delete' | null

export function EndpointActions({ endpoint, answer }: ActionsProps) {
  const [asked, setAsked] = useState<Asked>(null)
  const ask = (what: Asked) => () => {
    setAsked(what)
    return undefined
  }
  const isPausedByHand = endpoint.pausedAt !== null
  const close = () => setAsked(null)
  return (
    <>
      <ActButton needs="admin" act={() => goTo(pathOf('endpoints', endpoint.id, 'edit'))}>
        Edit
      </ActButton>
      {endpoint.enabled && !isPausedByHand && (
        <ActButton needs="operator" act={ask('pause')}>
          Pause
        </ActButton>
      )}
      {endpoint.enabled && isPausedByHand && (
        <ActButton needs="operator" act={ask('resume')}>
          Resume
        </ActButton>
      )}
      {endpoint.enabled ? (
        <ActButton needs="admin" act={ask('disable')}>
          Disable
        </ActButton>
      ) : (
        <ActButton needs="operator" act={ask('enable')}>
          Enable
        </ActButton>
      )}
      <ActButton needs="admin" class="danger" act={ask('delete')}>
        Delete
      </ActButton>
      {asked === 'pause' && <Pause endpoint={endpoint} answer={answer} onClose={close} />}
      {(asked === 'resume' || asked === 'enable') && (
        <Enable how={asked} endpoint={endpoint} answer={answer} onClose={close} />
      )}
      {asked === 'disable' && <Disable endpoint={endpoint} answer={answer} onClose={close} />}
      {asked === 'delete' && <Delete endpoint={endpoint} onClose={close} />}
    </>
  )
}

interface AskProps extends ActionsProps {
  readonly onClose: () => void
}

function Pause({ endpoint, answer, onClose }: AskProps) {
  const { call } = useSession()
  const pause = async (values: FormValues) => {
    answer.put(await server.endpoints.pause(endpoint.id, { reason: values('reason') || undefined }, call))
    onClose()
  }
  return (
    <Dialog title="Pause the endpoint" onClose={onClose}>
      <Form submit="Pause" needs="operator" onSubmit={pause} onCancel={onClose}>
        <p>Nothing is sent to it until it is resumed; its deliveries wait.</p>
        <TextField name="reason" label="Why" hint="For whoever looks at it." />
      </Form>
    </Dialog>
  )
}

/** Of an endpoint: how many deliveries wait for it, as far as they are counted. */
function useWaiting(endpoint: Endpoint): string {
  const { value } = useAnswer(`waiting of ${endpoint.id}`, async (call) => {
    const counted = await server.deliveries.cancelMany({ endpointId: endpoint.id, dryRun: true }, call)
    if (!('matching' in counted)) return 'unknown'
    return `${counted.matching}${counted.complete ? '' : ' or more'}`
  })
  return value ?? '…'
}

function Enable({ how, endpoint, answer, onClose }: AskProps & { readonly how: 'resume' | 'enable' }) {
  const { call } = useSession()
  const tell = useTell()
  const waiting = useWaiting(endpoint)
  const go = async (values: FormValues) => {
    const backlog = values('backlog') === 'skip' ? 'skip' : 'deliver'
    const done = await server.endpoints[how](endpoint.id, { backlog }, call)
    if ('kind' in done && 'filter' in done && 'done' in done) {
      tell(
        <>
          What waits is cancelled, then it is sent to again:{' '}
          <a href={hrefOf(pathOf('jobs', done.id))}>see how far it is</a>.
        </>,
      )
    } else tell('It is sent to again.')
    answer.again()
    onClose()
  }
  return (
    <Dialog title={how === 'enable' ? 'Enable the endpoint' : 'Resume the endpoint'} onClose={onClose}>
      <Form submit={how === 'enable' ? 'Enable' : 'Resume'} needs="operator" onSubmit={go} onCancel={onClose}>
        <p>Deliveries that wait for it: {waiting}</p>
        <SelectField
          name="backlog"
          label="What becomes of them"
          options={[
            ['deliver', 'deliver them'],
            ['skip', 'skip them: they are cancelled first, which cannot be taken back'],
          ]}
        />
      </Form>
    </Dialog>
  )
}

function Disable({ endpoint, answer, onClose }: AskProps) {
  const { call } = useSession()
  const disable = async () => {
    answer.put(await server.endpoints.update(endpoint.id, { enabled: false }, call))
    onClose()
  }
  return (
    <Dialog title="Disable the endpoint" onClose={onClose}>
      <Form submit="Disable" needs="admin" onSubmit={disable} onCancel={onClose}>
        <p>Nothing is sent to it until it is enabled. What is published for it meanwhile waits.</p>
      </Form>
    </Dialog>
  )
}

function Delete({ endpoint, onClose }: Omit<AskProps, 'answer'>) {
  const { call } = useSession()
  const tell = useTell()
  const waiting = useWaiting(endpoint)
  const remove = async () => {
    await server.endpoints.delete(endpoint.id, call)
    tell('The endpoint was deleted.')
    goTo('endpoints')
  }
  return (
    <Dialog title="Delete the endpoint" onClose={onClose}>
      <Form submit="Delete" needs="admin" onSubmit={remove} onCancel={onClose}>
        <p>
          This cannot be taken back. Deliveries that wait for it and would be cancelled: {waiting}. Active
          subscriptions that go with it: {endpoint.subscriptionCount}. What was delivered stays to be read.
        </p>
      </Form>
    </Dialog>
  )
}
