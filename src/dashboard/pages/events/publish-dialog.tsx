/** Publishes an event, with its JSON checked while it is typed. */
import { useState } from 'preact/hooks'
import { hrefOf } from '../../kit/address.ts'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { asJsonOrNull, asPairs, asTextOrNull } from '../../kit/form-fields.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { checkJson } from './check-json.ts'

interface PublishDialogProps {
  readonly onDone: () => void
  readonly onClose: () => void
}

const example = '{\n  "test": true\n}'

export function PublishDialog({ onDone, onClose }: PublishDialogProps) {
  const { call } = useSession()
  const tell = useTell()
  const [payload, setPayload] = useState(example)
  const publish = async (values: FormValues) => {
    const { eventId, deliveryIds, state, warnings } = await server.events.publish(
      {
        topic: values('topic'),
        payload: asJsonOrNull('payload')(values('payload')),
        metadata: asPairs('metadata')(values('metadata')),
        orderingKey: asTextOrNull(values('ordering_key')),
      },
      call,
    )
    const [warning] = warnings ?? []
    tell(
      <>
        <a href={hrefOf(pathOf('events', eventId))}>The event</a> was published
        {state === 'accepted' ? '; its deliveries are being made.' : `, with ${countOf(deliveryIds)}.`}
        {warning !== undefined &&
          ` Its payload is not as its event type says: ${warning.path} ${warning.message}.`}
      </>,
    )
    onDone()
    onClose()
  }
  const fault = checkJson(payload)
  return (
    <Dialog title="Publish a test event" onClose={onClose}>
      <Form submit="Publish" needs="operator" onSubmit={publish} onCancel={onClose}>
        <p>It is an event like any other: it goes to every endpoint that wants its topic.</p>
        <TextField name="topic" label="Topic" value="outhook.test" isRequired />
        <div onInput={({ target }) => setPayload((target as HTMLTextAreaElement).value)}>
          <TextField name="payload" label="Payload" hint="JSON" value={example} rows={8} isRequired />
          <p role="status" class={fault === null ? 'hint' : 'wrong'}>
            {fault ?? 'This is JSON.'}
          </p>
        </div>
        <TextField name="metadata" label="Metadata" hint="Name: value, one on each line" rows={2} />
        <TextField name="ordering_key" label="Ordering key" />
      </Form>
    </Dialog>
  )
}

function countOf({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? 'delivery' : 'deliveries'}`
}
