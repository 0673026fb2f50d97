/** One endpoint: how it is, a test event, its secret, what was sent to it, and what can be sent again. */
import { useState } from 'preact/hooks'
import type { Endpoint } from '../../client/index.ts'
import { goTo } from '../kit/address.ts'
import { ActivityChart } from './activity.tsx'
import { DeliveryTable } from './deliveries.tsx'
import { EndpointForm, type EndpointValues } from './endpoint-form.tsx'
import { EndpointState, eventsOf } from './endpoints.tsx'
import { t } from './locales.ts'
import { Act, Facts, Heading, Part, Shown } from './parts.tsx'
import { Recover } from './recover.tsx'
import { Secret } from './secret.tsx'
import { useAsk, useSession } from './session.tsx'
import { TestEvent } from './test-event.tsx'

export function EndpointPage({ id }: { readonly id: string }) {
  const { can, tell } = useSession()
  const asked = useAsk(`endpoint ${id}`, (server) => server.endpoints.get(id), 5_000)
  const [isEditing, setEditing] = useState(false)
  const edit = () => {
    tell('')
    setEditing(true)
  }
  return (
    <>
      <Heading
        actions={
          asked.value !== null && can('manage_endpoints') ? (
            <Actions of={asked.value} onChange={asked.again} onEdit={edit} />
          ) : undefined
        }
      >
        {t('endpoint')} <bdi>{asked.value?.url ?? ''}</bdi>
      </Heading>
      <Shown of={asked}>
        {(endpoint) => (
          <>
            {isEditing ? (
              <Edit
                of={endpoint}
                onDone={() => {
                  setEditing(false)
                  asked.again()
                }}
              />
            ) : (
              <State of={endpoint} />
            )}
            {can('manage_endpoints') && <TestEvent endpoint={endpoint} />}
            <Secret endpoint={endpoint} />
            {can('resend') && <Recover endpointId={endpoint.id} />}
            <Part title={t('activity')}>
              <ActivityChart endpointId={endpoint.id} />
            </Part>
            <Part title={t('deliveries')}>
              <DeliveryTable filter={{ endpointId: endpoint.id }} />
            </Part>
          </>
        )}
      </Shown>
    </>
  )
}

function State({ of }: { readonly of: Endpoint }) {
  const reasons = { gone: t('goneReason'), failing: t('failingReason'), operator: t('operatorReason') }
  const reason = reasons[of.disabledReason as keyof typeof reasons] ?? of.disabledReason
  const headers = Object.entries(of.headers).map(([name, value]) => `${name}: ${value}`)
  return (
    <Facts
      of={[
        [t('state'), <EndpointState key="state" of={of} />],
        [t('pausedReason'), of.pausedReason],
        [t('disabled'), reason],
        [t('description'), of.description],
        [t('events'), eventsOf(of)],
        [t('headers'), headers.join(', ')],
      ]}
    />
  )
}

interface ActionsProps {
  readonly of: Endpoint
  readonly onChange: () => void
  readonly onEdit: () => void
}

function Actions({ of, onChange, onEdit }: ActionsProps) {
  const { server, tell } = useSession()
  const [isAsking, setAsking] = useState(false)
  const then = (text: string) => () => {
    onChange()
    return text
  }
  const isPaused = of.pausedAt !== null
  const resume = () =>
    (isPaused ? server.endpoints.resume(of.id) : server.endpoints.enable(of.id)).then(then(t('resumedNow')))
  const remove = async () => {
    await server.endpoints.delete(of.id)
    goTo('')
    tell(t('removed'))
    return undefined
  }
  return (
    <>
      <button type="button" onClick={onEdit}>
        {t('edit')}
      </button>
      {isPaused || !of.enabled ? (
        <Act act={resume}>{isPaused ? t('resume') : t('enable')}</Act>
      ) : (
        <Act act={() => server.endpoints.pause(of.id).then(then(t('pausedNow')))}>{t('pause')}</Act>
      )}
      {isAsking ? (
        <span role="alertdialog" aria-label={t('remove')} class="ask">
          {t('removeAsk')}{' '}
          <Act class="danger" act={remove}>
            {t('remove')}
          </Act>
          <button type="button" onClick={() => setAsking(false)}>
            {t('cancel')}
          </button>
        </span>
      ) : (
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          {t('remove')}
        </button>
      )}
    </>
  )
}

function Edit({ of, onDone }: { readonly of: Endpoint; readonly onDone: () => void }) {
  const { server, tell } = useSession()
  const save = async ({ url, description, topics, headers }: EndpointValues) => {
    const change = {
      ...(url !== '' && url !== of.url && { url }),
      description,
      headers,
      ...(topics.length > 0 && { topics }),
    }
    await server.endpoints.update(of.id, change, { ifMatch: of.version })
    onDone()
    tell(t('saved'))
  }
  return <EndpointForm submit={t('save')} of={of} onSubmit={save} onCancel={onDone} />
}
