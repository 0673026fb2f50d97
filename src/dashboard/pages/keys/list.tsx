/** What programs publish with, and what people and programs administer with. Their texts are shown once, when they are made. */
import { useState } from 'preact/hooks'
import type { AdminToken, Key } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { useUrlState } from '../../kit/address.ts'
import { Badge, PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { ExactTimes } from '../../kit/moment.tsx'
import { oneOf, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { EditKey, NewKey, NewToken, Revoke, RotateKey } from './key-dialogs.tsx'

const shape = { kind: oneOf(['keys', 'tokens']), cursor: text }

export function Page() {
  const [{ kind }, set] = useUrlState(shape)
  return (
    <>
      <PageHeading title="Keys and tokens">Keys and tokens</PageHeading>
      <div class="bar filters">
        {(
          [
            ['keys', 'Producer keys'],
            ['tokens', 'Admin tokens'],
          ] as const
        ).map(([one, label]) => (
          <button
            key={one}
            type="button"
            aria-pressed={kind === one}
            onClick={() => set({ kind: one, cursor: '' })}
          >
            {label}
          </button>
        ))}
      </div>
      {/* No page tells more of one of them. */}
      <ExactTimes.Provider value={true}>{kind === 'keys' ? <Keys /> : <Tokens />}</ExactTimes.Provider>
    </>
  )
}

type Asked<T> =
  | { readonly what: 'new' }
  | { readonly what: 'edit' | 'rotate' | 'revoke'; readonly of: T }
  | null

function Keys() {
  const [asked, setAsked] = useState<Asked<Key>>(null)
  const page = usePage('keys', (query, call) => server.keys.list(query, call))
  const close = () => setAsked(null)
  const done = () => page.again()
  return (
    <>
      <p>
        <ActButton needs="admin" act={() => setAsked({ what: 'new' })}>
          New producer key
        </ActButton>
      </p>
      <KeysetTable
        label="Producer keys"
        page={page}
        keyOf={({ id }) => id}
        columns={keyColumns(setAsked)}
        empty="There is no producer key of this tenant. Make one for each program that publishes."
      />
      {asked?.what === 'new' && <NewKey onDone={done} onClose={close} />}
      {asked?.what === 'edit' && <EditKey of={asked.of} onDone={done} onClose={close} />}
      {asked?.what === 'rotate' && <RotateKey of={asked.of} onDone={done} onClose={close} />}
      {asked?.what === 'revoke' && (
        <Revoke
          name={asked.of.name}
          revoke={(call) => server.keys.revoke(asked.of.id, call)}
          onDone={done}
          onClose={close}
        />
      )}
    </>
  )
}

function keyColumns(ask: (asked: Asked<Key>) => void): readonly Column<Key>[] {
  return [
    {
      title: 'Name',
      cell: ({ name, id }) => (
        <>
          {name}
          <p class="hint">{id}</p>
        </>
      ),
    },
    { title: 'State', cell: (one) => <KeyState of={one} /> },
    { title: 'May', cell: ({ abilities }) => abilities.join(', ') },
    { title: 'Topics', cell: ({ scopes }) => scopes.join(', ') },
    { title: 'Events a second', isNumber: true, cell: ({ rateLimitRps }) => rateLimitRps ?? '–' },
    { title: 'Last used', cell: (one) => <LastUse of={one} /> },
    { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
    {
      title: 'What can be done',
      cell: (one) => {
        const whyNot = one.revokedAt === null ? null : 'It is revoked.'
        return (
          <div class="bar actions">
            {(['edit', 'rotate', 'revoke'] as const).map((what) => (
              <ActButton
                key={what}
                needs="admin"
                class={what === 'revoke' ? 'small danger' : 'small'}
                whyNot={whyNot}
                act={() => ask({ what, of: one })}
              >
                {what === 'edit' ? 'Edit' : what === 'rotate' ? 'Rotate' : 'Revoke'}
              </ActButton>
            ))}
          </div>
        )
      },
    },
  ]
}

function Tokens() {
  const [asked, setAsked] = useState<Asked<AdminToken>>(null)
  const page = usePage('tokens', (query, call) => server.adminTokens.list(query, call))
  const close = () => setAsked(null)
  const done = () => page.again()
  return (
    <>
      <p>
        <ActButton needs="admin" act={() => setAsked({ what: 'new' })}>
          New admin token
        </ActButton>
      </p>
      <KeysetTable
        label="Admin tokens"
        page={page}
        keyOf={({ id }) => id}
        columns={tokenColumns(setAsked)}
        empty="There is no admin token but that of the configuration. Make one for each person and program."
      />
      {asked?.what === 'new' && <NewToken onDone={done} onClose={close} />}
      {asked?.what === 'revoke' && (
        <Revoke
          name={asked.of.label}
          revoke={(call) => server.adminTokens.revoke(asked.of.id, call)}
          onDone={done}
          onClose={close}
        />
      )}
    </>
  )
}

function tokenColumns(ask: (asked: Asked<AdminToken>) => void): readonly Column<AdminToken>[] {
  return [
    {
      title: 'Whose',
      cell: ({ label, id }) => (
        <>
          {label}
          <p class="hint">{id}</p>
        </>
      ),
    },
    { title: 'State', cell: (one) => <KeyState of={one} /> },
    { title: 'Role', cell: ({ role }) => role },
    { title: 'Tenant', cell: ({ tenantId }) => tenantId ?? 'all' },
    { title: 'Last used', cell: (one) => <LastUse of={one} /> },
    { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
    {
      title: 'What can be done',
      cell: (one) => (
        <ActButton
          needs="admin"
          class="small danger"
          whyNot={one.revokedAt === null ? null : 'It is revoked.'}
          act={() => ask({ what: 'revoke', of: one })}
        >
          Revoke
        </ActButton>
      ),
    },
  ]
}

type Dated = Pick<Key, 'revokedAt' | 'expiresAt' | 'lastUsedAt'>

function KeyState({ of: { revokedAt, expiresAt } }: { readonly of: Dated }) {
  if (revokedAt !== null) return <Badge is="plain">revoked</Badge>
  return (
    <>
      <Badge is="good">active</Badge>
      {expiresAt !== null && (
        <p class="hint">
          expires <Time at={expiresAt} />
        </p>
      )}
    </>
  )
}

function LastUse({ of: { lastUsedAt } }: { readonly of: Dated }) {
  return lastUsedAt === null ? <>never</> : <Time at={lastUsedAt} />
}
