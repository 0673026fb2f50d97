/** Gives up the head of an ordering key, after it has said what that means. */
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'

interface SkipFormProps {
  readonly deliveryId: string
  readonly orderingKey: string
  readonly onDone: () => void
  readonly onClose: () => void
}

export function SkipForm({ deliveryId, orderingKey, onDone, onClose }: SkipFormProps) {
  const { call } = useSession()
  const tell = useTell()
  const skip = async (values: FormValues) => {
    const { nextHeadDeliveryId } = await server.deliveries.skip(
      deliveryId,
      { reason: values('reason') || undefined },
      call,
    )
    tell(
      nextHeadDeliveryId === null
        ? 'It was skipped; nothing waited behind it.'
        : 'It was skipped; the next one goes on.',
    )
    onDone()
    onClose()
  }
  return (
    <Form submit="Skip it" needs="operator" onSubmit={skip} onCancel={onClose}>
      <p>
        The delivery at the head of {orderingKey} is given up for good, and what is behind it goes on. This
        cannot be taken back.
      </p>
      <TextField name="reason" label="Why" hint="For whoever looks at the delivery." />
    </Form>
  )
}
