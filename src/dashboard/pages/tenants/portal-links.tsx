/** Links by which people of the tenant see to its webhooks themselves: made, listed and revoked. */
import { useState } from 'preact/hooks'
import type { PortalLink } from '../../../client/index.ts'
import { now } from '../../clock.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { Badge, Part } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, TextField, TickField } from '../../kit/form.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { Made, Revoke } from '../keys/key-dialogs.tsx'

const abilities = [
  ['manage_endpoints', 'Make, change, test, pause and delete endpoints'],
  ['resend', 'Send again what failed'],
  ['see_payloads', 'See payloads, and what receivers answered'],
  ['reveal_secret', 'See secrets of endpoints'],
] as const

interface PortalLinksProps {
  readonly tenantId: string
}

export function PortalLinks({ tenantId }: PortalLinksProps) {
  const { whyNot } = useSession()
  const reason = whyNot('admin')
  return (
    <Part title="Links to the portal">
      <p class="hint">
        Whoever has one sees to the webhooks of this tenant in a browser, and needs no account. Your program
        makes them too, as it shows its own pages.
      </p>
      {reason === null ? <Links tenantId={tenantId} /> : <p class="empty">{reason}</p>}
    </Part>
  )
}

function Links({ tenantId }: PortalLinksProps) {
  const [asked, setAsked] = useState<'new' | PortalLink | null>(null)
  const page = usePage(`portal links of ${tenantId}`, (query, { signal }) =>
    server.portalLinks.list(tenantId, query, { signal }),
  )
  const close = () => setAsked(null)
  return (
    <>
      <p>
        <ActButton needs="admin" act={() => setAsked('new')}>
          New link to the portal
        </ActButton>
      </p>
      <KeysetTable
        label="Links to the portal"
        page={page}
        keyOf={({ id }) => id}
        columns={columnsOf(setAsked)}
        empty="There is no link, or none of the last week. Make one for somebody of this tenant."
      />
      {asked === 'new' && <NewLink tenantId={tenantId} onDone={page.again} onClose={close} />}
      {asked !== null && asked !== 'new' && (
        <Revoke
          name={`the link for ${asked.label ?? 'somebody'}`}
          revoke={(call) => server.portalLinks.revoke(tenantId, asked.id, call)}
          onDone={page.again}
          onClose={close}
        />
      )}
    </>
  )
}

interface NewLinkProps extends PortalLinksProps {
  readonly onDone: () => void
  readonly onClose: () => void
}

function NewLink({ tenantId, onDone, onClose }: NewLinkProps) {
  const [url, setUrl] = useState<string | null>(null)
  const create = async (values: FormValues) => {
    const label = values('label')
    const made = await server.portalLinks.create(tenantId, {
      abilities: ['view', ...abilities.map(([name]) => name).filter((name) => values(name) === 'true')],
      expiresIn: values('expires_in'),
      ...(label !== '' && { label }),
    })
    setUrl(made.url)
    onDone()
  }
  return (
    <Dialog title="New link to the portal" onClose={onClose}>
      {url !== null ? (
        <Made label="Link" text={url} onClose={onClose} />
      ) : (
        <Form submit="Make the link" needs="admin" onSubmit={create} onCancel={onClose}>
          <TextField name="label" label="For whom" hint="In your words; the audit log names it." />
          <TextField
            name="expires_in"
            label="It is good for"
            hint='Such as "8h"; at most 7 days.'
            value="1h"
            isRequired
          />
          <p>Whoever opens it sees endpoints, deliveries and why they failed. Besides, they may:</p>
          {abilities.map(([name, label]) => (
            <TickField key={name} name={name} label={label} />
          ))}
        </Form>
      )}
    </Dialog>
  )
}

function columnsOf(ask: (link: PortalLink) => void): readonly Column<PortalLink>[] {
  return [
    {
      title: 'For whom',
      cell: ({ label, id }) => (
        <>
          {label ?? 'not said'}
          <p class="hint">{id}</p>
        </>
      ),
    },
    { title: 'May', cell: (one) => one.abilities.join(', ') },
    {
      title: 'State',
      cell: (one) => <LinkState of={one} />,
    },
    { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
    {
      title: 'What can be done',
      cell: (one) => (
        <ActButton
          needs="admin"
          class="small danger"
          whyNot={one.revokedAt === null ? null : 'It is revoked.'}
          act={() => ask(one)}
        >
          Revoke
        </ActButton>
      ),
    },
  ]
}

function LinkState({ of: { revokedAt, expiresAt } }: { readonly of: PortalLink }) {
  if (revokedAt !== null) return <Badge is="plain">revoked</Badge>
  return (
    <>
      {Date.parse(expiresAt) > now() ? <Badge is="good">good until</Badge> : <Badge is="plain">ended</Badge>}{' '}
      <Time at={expiresAt} />
    </>
  )
}
