/** What can be done about a delivery; what cannot be done now says why. */
import { useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { hasEnded } from '../../kit/delivery-states.ts'
import { Dialog } from '../../kit/dialog.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { SkipForm } from '../ordered-keys/skip-form.tsx'

interface ActionsProps {
  readonly delivery: DeliveryDetail
  readonly onDone: () => void
}

export function DeliveryActions({ delivery, onDone }: ActionsProps) {
  const { call } = useSession()
  const [isSkipAsked, setSkipAsked] = useState(false)
  const { id, state, orderingKey } = delivery
  const isDead = state === 'dead_lettered'
  const resend = async () => {
    await (isDead ? server.deadLetters.replay(id, call) : server.deliveries.resend(id, call))
    onDone()
    return 'It is sent again, from the first attempt.'
  }
  const cancel = async () => {
    await server.deliveries.cancel(id, call)
    onDone()
    return 'It was cancelled.'
  }
  return (
    <>
      <ActButton needs="operator" whyNot={whyNotResend(delivery)} act={resend}>
        {isDead ? 'Replay' : 'Resend'}
      </ActButton>
      <ActButton needs="operator" class="danger" whyNot={whyNotCancel(delivery)} act={cancel}>
        Cancel
      </ActButton>
      {orderingKey !== null && (
        <ActButton
          needs="operator"
          class="danger"
          whyNot={isDead ? null : 'Only a delivery that was given up can be skipped.'}
          act={() => {
            setSkipAsked(true)
            return undefined
          }}
        >
          Skip
        </ActButton>
      )}
      {isSkipAsked && orderingKey !== null && (
        <Dialog title="Skip the delivery" onClose={() => setSkipAsked(false)}>
          <SkipForm
            deliveryId={id}
            orderingKey={orderingKey}
            onDone={onDone}
            onClose={() => setSkipAsked(false)}
          />
        </Dialog>
      )}
    </>
  )
}

function whyNotResend(delivery: DeliveryDetail): string | null {
  if (hasEnded(delivery)) return null
  return delivery.state === 'in_flight' ? 'An attempt is under way.' : 'It has not ended: it is sent anyway.'
}

function whyNotCancel(delivery: DeliveryDetail): string | null {
  const { state } = delivery
  if (hasEnded(delivery)) return `It has ended: it is ${state.replaceAll('_', ' ')}.`
  return state === 'in_flight'
    ? 'An attempt is under way, and its outcome decides. Cancel it if it waits for another one then.'
    : null
}
