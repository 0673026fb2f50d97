/** One delivery: what became of it, each attempt, and what was sent. */
import type { Client, DeliveryDetail } from '../../client/index.ts'
import { now } from '../clock.ts'
import { indentJson } from '../indent-json.ts'
import { hrefOf } from '../kit/address.ts'
import { hasEnded } from '../kit/delivery-states.ts'
import { pathOf } from '../kit/match-path.ts'
import { DeliveryState } from './deliveries.tsx'
import { formatRelative, t } from './locales.ts'
import { Act, Code, Facts, Heading, Part, Shown, Time } from './parts.tsx'
import { statusOf, useAsk, useSession } from './session.tsx'

export function DeliveryPage({ id }: { readonly id: string }) {
  const { can, server } = useSession()
  const asked = useAsk(`delivery ${id}`, (own) => own.deliveries.get(id), 3_000)
  const delivery = asked.value
  const resend = async () => {
    await server.deliveries.resend(id)
    asked.again()
    return t('resent')
  }
  const canResend = delivery !== null && can('resend') && hasEnded(delivery)
  return (
    <>
      <Heading actions={canResend ? <Act act={resend}>{t('resend')}</Act> : undefined}>
        {t('delivery')} <bdi>{delivery?.topic ?? ''}</bdi>
      </Heading>
      <Shown of={asked}>
        {(shown) => (
          <>
            <p>
              <DeliveryState of={shown} /> {sentenceOf(shown)}
            </p>
            <Facts
              of={[
                [t('event'), <code key="event">{shown.eventId}</code>],
                [t('when'), <Time key="when" at={shown.createdAt} />],
                [t('nextAttempt'), shown.nextAttemptAt && <Time at={shown.nextAttemptAt} />],
                [
                  t('endpoint'),
                  shown.endpointId && (
                    <a href={hrefOf(pathOf('endpoints', shown.endpointId))}>{shown.endpointId}</a>
                  ),
                ],
              ]}
            />
            <Attempts of={shown} />
            {can('see_payloads') && <Payload eventId={shown.eventId} />}
          </>
        )}
      </Shown>
    </>
  )
}

function sentenceOf(delivery: DeliveryDetail): string {
  const why = delivery.lastError ?? delivery.errorClass ?? ''
  switch (delivery.state) {
    case 'succeeded':
      return t('saidSucceeded', { status: delivery.lastHttpStatus ?? '' })
    case 'dead_lettered':
      return t('saidDead', { count: delivery.attemptCount, why })
    case 'retry_scheduled': {
      const at = delivery.nextAttemptAt
      return t('saidRetry', { why, time: at === null ? '' : formatRelative(at, now()) })
    }
    case 'in_flight':
      return t('saidInFlight')
    case 'cancelled':
    case 'skipped':
      return t('saidCancelled')
    default:
      return t('saidPending')
  }
}

function Attempts({ of: { attempts } }: { readonly of: DeliveryDetail }) {
  return (
    <Part title={t('attempts')}>
      {attempts.length === 0 && <p class="empty">{t('noAttempts')}</p>}
      {attempts.toReversed().map((attempt) => (
        <article key={attempt.claimVersion} class="attempt">
          <h3>{t('attempt', { number: attempt.attemptNo })}</h3>
          <Facts
            of={[
              [t('when'), <Time key="when" at={attempt.startedAt} />],
              [t('status'), attempt.httpStatus ?? attempt.error],
              [t('duration'), t('took', { ms: attempt.latencyMs })],
            ]}
          />
          {attempt.response !== undefined && (
            <Code
              label={t('answer')}
              text={[
                ...attempt.response.headers.map(({ name, value }) => `${name}: ${value}`),
                '',
                attempt.response.body,
              ].join('\n')}
            />
          )}
        </article>
      ))}
    </Part>
  )
}

function Payload({ eventId }: { readonly eventId: string }) {
  const asked = useAsk(`payload of ${eventId}`, (server) => readPayload(server, eventId))
  return (
    <Part title={t('payload')}>
      <Shown of={asked}>
        {({ text }) =>
          text === null ? <p>{t('payloadGone')}</p> : <Code label={t('payload')} text={text} />
        }
      </Shown>
    </Part>
  )
}

/** `text` null: it is not kept any more. */
async function readPayload(server: Client, eventId: string): Promise<{ readonly text: string | null }> {
  try {
    const text = new TextDecoder().decode(await server.events.getPayload(eventId))
    return { text: indentJson(text) ?? text }
  } catch (error) {
    if (statusOf(error) === 410) return { text: null }
    throw error
  }
}
