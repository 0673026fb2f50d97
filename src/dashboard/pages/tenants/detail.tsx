/** One tenant: its settings, and how far its removal has got. */
import { useState } from 'preact/hooks'
import type { Tenant, TenantCreate } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import {
  Badge,
  CopyButton,
  Facts,
  JsonBlock,
  Loading,
  PageHeading,
  Part,
  Problem,
} from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import type { PageProps } from '../../kit/page-entry.ts'
import { useTell } from '../../kit/results.tsx'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { nameOf } from './list.tsx'
import { PortalLinks } from './portal-links.tsx'
import { TenantForm } from './tenant-form.tsx'

/** A removal goes on by itself, and then there is nothing more to read. */
const whileDeleting = ({ state }: Tenant) => (state === 'deleting' ? 2_000 : null)

export function Page({ params: { id = '' } }: PageProps) {
  const tell = useTell()
  const [isAsked, setAsked] = useState(false)
  const { value, problem, again, put } = useAnswer(
    `tenant ${id}`,
    ({ signal }) => server.tenants.get(id, { signal }),
    { everyMs: whileDeleting },
  )
  const save = async (changes: TenantCreate) => {
    if (value === null) return
    if (Object.keys(changes).length === 0) return tell('Nothing was changed.')
    put(await server.tenants.update(value.id, changes, { ifMatch: value.version }))
    tell('The tenant was changed.')
  }
  const isLive = value !== null && value.state === 'active'
  return (
    <>
      <PageHeading
        title="Tenant"
        actions={
          isLive && (
            <ActButton
              needs="admin"
              class="danger"
              whyNot={
                value.uid === 'default' ? 'The tenant that everything goes to that names none stays.' : null
              }
              act={() => {
                setAsked(true)
                return undefined
              }}
            >
              Delete
            </ActButton>
          )
        }
      >
        Tenant {value === null ? id : nameOf(value)}
      </PageHeading>
      {problem !== null && <Problem what="The tenant could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && <TenantFacts of={value} />}
      {value !== null && isLive && <PortalLinks tenantId={value.id} />}
      {value !== null && isLive && (
        <Part title="Edit">
          <TenantForm key={value.version} submit="Save" of={value} onSubmit={save} />
        </Part>
      )}
      {isAsked && value !== null && (
        <Delete
          of={value}
          onDone={() => {
            setAsked(false)
            again()
          }}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  )
}

function TenantFacts({ of }: { readonly of: Tenant }) {
  const { removal, removed } = of
  const left = removal?.left
  return (
    <Part title="What it is">
      <Facts
        of={[
          [
            'State',
            <Badge key="state" is={of.state === 'active' ? 'good' : 'bad'}>
              {of.state}
            </Badge>,
          ],
          [
            'Id',
            <>
              <code>{of.id}</code> <CopyButton label="id" text={of.id} />
            </>,
          ],
          ['uid', of.uid],
          ['Made', <Time key="made" at={of.createdAt} />],
          ['Changed', <Time key="changed" at={of.updatedAt} />],
          ['Deleted', of.deletedAt && <Time at={of.deletedAt} />],
          ['Its removal', removal?.phase],
          [
            'Removed so far',
            removed &&
              `${removed.endpoints} endpoints, ${removed.events} events, ${removed.deliveries} deliveries`,
          ],
          [
            'Still to be removed',
            left && `${left.endpoints} endpoints, ${left.events} events, ${left.deliveries} deliveries`,
          ],
        ]}
      />
      {Object.keys(of.metadata).length > 0 && <JsonBlock label="Metadata" value={of.metadata} />}
    </Part>
  )
}

interface DeleteProps {
  readonly of: Tenant
  readonly onDone: () => void
  readonly onClose: () => void
}

function Delete({ of, onDone, onClose }: DeleteProps) {
  const name = of.uid ?? of.id
  const remove = async (values: FormValues) => {
    if (values('confirmed') !== name) throw new Error(`confirmed has to be ${name}, as it stands above`)
    await server.tenants.delete(of.id)
    onDone()
  }
  return (
    <Dialog title="Delete the tenant" onClose={onClose}>
      <Form submit="Delete it and all that is its own" needs="admin" onSubmit={remove} onCancel={onClose}>
        <p>
          This cannot be taken back. It takes nothing more at once; its endpoints, subscriptions, keys, events
          and deliveries are removed, and what waits is cancelled.
        </p>
        <TextField name="confirmed" label={`To go on, write ${name}`} isRequired />
      </Form>
    </Dialog>
  )
}
