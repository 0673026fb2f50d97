/** Making, changing, rotating and revoking keys and tokens. */
import { useState } from 'preact/hooks'
import type {
  AdminTokenCreate,
  CallOptions,
  Key,
  KeyChange,
  KeyCreate,
  RotatedKey,
} from '../../../client/index.ts'
import { now } from '../../clock.ts'
import { Countdown } from '../../kit/countdown.tsx'
import { CodeBlock } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { keyFields, newKeyFields, newTokenFields } from './key-fields.ts'

interface DialogProps {
  readonly onDone: () => void
  readonly onClose: () => void
}

interface MadeProps {
  readonly label: string
  readonly text: string
  readonly onClose: () => void
}

export function Made({ label, text, onClose }: MadeProps) {
  return (
    <>
      <p>It is shown here once and never again: the server keeps only what it takes to know it.</p>
      <CodeBlock label={label} text={text} />
      <button type="button" onClick={onClose}>
        Close
      </button>
    </>
  )
}

export function NewKey({ onDone, onClose }: DialogProps) {
  const { call } = useSession()
  const [made, setMade] = useState<string | null>(null)
  const create = async (values: FormValues) => {
    const changes = readChanges(newKeyFields, null, values)
    const { key } = await server.keys.create({ ...changes, name: values('name') } as KeyCreate, call)
    setMade(key)
    onDone()
  }
  return (
    <Dialog title="New producer key" onClose={onClose}>
      {made !== null ? (
        <Made label="Key" text={made} onClose={onClose} />
      ) : (
        <Form submit="Make the key" needs="admin" onSubmit={create} onCancel={onClose}>
          <Fields fields={newKeyFields} of={null} />
        </Form>
      )}
    </Dialog>
  )
}

export function NewToken({ onDone, onClose }: DialogProps) {
  const { call } = useSession()
  const [made, setMade] = useState<string | null>(null)
  const create = async (values: FormValues) => {
    const changes = readChanges(newTokenFields, null, values)
    const input = { ...changes, label: values('label'), role: values('role') } as AdminTokenCreate
    setMade((await server.adminTokens.create(input, call)).token)
    onDone()
  }
  return (
    <Dialog title="New admin token" onClose={onClose}>
      {made !== null ? (
        <Made label="Token" text={made} onClose={onClose} />
      ) : (
        <Form submit="Make the token" needs="admin" onSubmit={create} onCancel={onClose}>
          <Fields fields={newTokenFields} of={null} />
        </Form>
      )}
    </Dialog>
  )
}

export function EditKey({ of, onDone, onClose }: DialogProps & { readonly of: Key }) {
  const { call } = useSession()
  const tell = useTell()
  const save = async (values: FormValues) => {
    const changes = readChanges(keyFields, of, values)
    if (Object.keys(changes).length > 0) {
      await server.keys.update(of.id, changes as KeyChange, { ...call, ifMatch: of.version })
      tell('The key was changed.')
      onDone()
    }
    onClose()
  }
  return (
    <Dialog title="Edit the key" onClose={onClose}>
      <Form submit="Save" needs="admin" onSubmit={save} onCancel={onClose}>
        <Fields fields={keyFields} of={of} />
      </Form>
    </Dialog>
  )
}

export function RotateKey({ of, onDone, onClose }: DialogProps & { readonly of: Key }) {
  const { call } = useSession()
  const [made, setMade] = useState<(RotatedKey & { readonly from: string }) | null>(null)
  const rotate = async (values: FormValues) => {
    const rotated = await server.keys.rotate(of.id, { grace: values('grace') }, call)
    setMade({ ...rotated, from: new Date(now()).toISOString() })
    onDone()
  }
  return (
    <Dialog title="Rotate the key" onClose={onClose}>
      {made !== null ? (
        <>
          <Countdown
            label="How much of the overlap is over"
            from={made.from}
            until={made.previousExpiresAt}
          />
          <Made label="New key" text={made.key} onClose={onClose} />
        </>
      ) : (
        <Form submit="Rotate" needs="admin" onSubmit={rotate} onCancel={onClose}>
          <p>The key gets another text. The one before is taken beside it for as long as you say here.</p>
          <TextField
            name="grace"
            label="Overlap"
            hint='Such as "24h"; at most 30 days.'
            value="24h"
            isRequired
          />
        </Form>
      )}
    </Dialog>
  )
}

interface RevokeProps extends DialogProps {
  readonly name: string
  readonly revoke: (call: CallOptions) => Promise<void>
}

export function Revoke({ name, revoke, onDone, onClose }: RevokeProps) {
  const { call } = useSession()
  const tell = useTell()
  const go = async () => {
    await revoke(call)
    tell(`${name} is revoked.`)
    onDone()
    onClose()
  }
  return (
    <Dialog title={`Revoke ${name}`} onClose={onClose}>
      <Form submit="Revoke" needs="admin" onSubmit={go} onCancel={onClose}>
        <p>This cannot be taken back. Whoever uses it is refused within seconds.</p>
      </Form>
    </Dialog>
  )
}
