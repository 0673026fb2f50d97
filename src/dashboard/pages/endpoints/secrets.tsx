/** What signs for an endpoint; while one takes the place of another, how long both do. */
import { useState } from 'preact/hooks'
import type { Endpoint, EndpointSecret, NewSecret } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { Countdown } from '../../kit/countdown.tsx'
import { Badge, CodeBlock, Loading, Part, Problem } from '../../kit/detail.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form, type FormValues, TextField } from '../../kit/form.tsx'
import { type Column, Rows } from '../../kit/keyset-table.tsx'
import { ExactTimes } from '../../kit/moment.tsx'
import { useSession } from '../../kit/session.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'

export function Secrets({ endpoint }: { readonly endpoint: Endpoint }) {
  const { call } = useSession()
  const [isRotating, setRotating] = useState(false)
  const [shown, setShown] = useState<string | null>(null)
  const { value, problem, again } = useAnswer(`secrets of ${endpoint.id}`, (options) =>
    server.endpoints.listSecrets(endpoint.id, options),
  )
  const reveal = async (id: string) => {
    setShown((await server.endpoints.revealSecret(endpoint.id, id, call)).secret)
    again()
    return undefined
  }
  const makePrimary = async (id: string) => {
    await server.endpoints.setPrimarySecret(endpoint.id, id, call)
    again()
    return 'It signs where there is room for one signature.'
  }
  return (
    <Part title="Secrets">
      {problem !== null && <Problem what="Secrets could not be read" why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && (
        <ExactTimes.Provider value={true}>
          <Rows
            label="Secrets"
            rows={value.items}
            keyOf={({ id }) => id}
            columns={columnsOf(reveal, makePrimary)}
          />
        </ExactTimes.Provider>
      )}
      <p>
        <ActButton
          needs="admin"
          act={() => {
            setRotating(true)
            return undefined
          }}
        >
          Rotate the secret
        </ActButton>
      </p>
      {isRotating && <Rotate endpoint={endpoint} onDone={again} onClose={() => setRotating(false)} />}
      {shown !== null && (
        <Dialog title="The secret" onClose={() => setShown(null)}>
          <CodeBlock label="Secret" text={shown} />
          <p class="hint">That it was shown, when and to whom, is kept with it and logged.</p>
          <button type="button" onClick={() => setShown(null)}>
            Close
          </button>
        </Dialog>
      )}
    </Part>
  )
}

type ForSecret = (id: string) => Promise<string | undefined>

function columnsOf(reveal: ForSecret, makePrimary: ForSecret): readonly Column<EndpointSecret>[] {
  return [
    { title: 'Secret', cell: (one) => <code>{one.id}</code> },
    { title: 'Kind', cell: (one) => one.keyType },
    { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
    {
      title: 'Signs',
      cell: (one) => (
        <>
          {one.primary && <Badge is="plain">first</Badge>}{' '}
          {one.expiresAt === null ? (
            'until it is replaced'
          ) : (
            <Countdown label="How much of the overlap is over" from={one.createdAt} until={one.expiresAt} />
          )}
        </>
      ),
    },
    {
      title: 'Shown',
      cell: ({ reveals, revealedAt }) => (
        <>
          {reveals === 0 ? 'never' : `${reveals} times, last `}
          {revealedAt !== null && <Time at={revealedAt} />}
        </>
      ),
    },
    {
      title: 'What can be done',
      cell: (one) => (
        <div class="bar actions">
          <ActButton needs="admin" class="small" act={() => reveal(one.id)}>
            Reveal
          </ActButton>
          <ActButton
            needs="admin"
            class="small"
            whyNot={one.primary ? 'It is so already.' : null}
            act={() => makePrimary(one.id)}
          >
            Sign first
          </ActButton>
        </div>
      ),
    },
  ]
}

interface RotateProps {
  readonly endpoint: Endpoint
  readonly onDone: () => void
  readonly onClose: () => void
}

function Rotate({ endpoint, onDone, onClose }: RotateProps) {
  const { call } = useSession()
  const [made, setMade] = useState<NewSecret | null>(null)
  const rotate = async (values: FormValues) => {
    setMade(await server.endpoints.rotateSecret(endpoint.id, { grace: values('grace') }, call))
    onDone()
  }
  return (
    <Dialog title="Rotate the secret" onClose={onClose}>
      {made === null ? (
        <Form submit="Rotate" needs="admin" onSubmit={rotate} onCancel={onClose}>
          <p>
            A new secret signs at once. The one before signs beside it for as long as you say here, so that
            the receiver has time to take the new one.
          </p>
          <TextField
            name="grace"
            label="Overlap"
            hint='Such as "24h"; at most 7 days.'
            value="24h"
            isRequired
          />
        </Form>
      ) : (
        <>
          <p>Give the receiver the new secret before the overlap is over.</p>
          <CodeBlock label="New secret" text={made.secret} />
          {made.publicKey !== null && <CodeBlock label="Public key" text={made.publicKey} />}
          <button type="button" onClick={onClose}>
            Close
          </button>
        </>
      )}
    </Dialog>
  )
}
