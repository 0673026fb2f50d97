/** One endpoint: how it is, what it is set to, what was sent to it last. */
import type { Endpoint } from '../../../client/index.ts'
import { hrefOf } from '../../kit/address.ts'
import { CopyButton, Facts, JsonBlock, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { pathOf } from '../../kit/match-path.ts'
import type { PageProps } from '../../kit/page-entry.ts'
import { type Answer, useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { EndpointActions } from './actions.tsx'
import { EndpointState } from './endpoint-state.tsx'
import { LatencyOfDay, SuccessOfDay, useLastDays } from './last-day.tsx'
import { LatestDeliveries } from './latest-deliveries.tsx'
import { Secrets } from './secrets.tsx'
import { TestEvent } from './test-event.tsx'

export function Page({ params: { id = '' } }: PageProps) {
  const answer = useAnswer(
    `endpoint ${id}`,
    (call) => server.endpoints.get(id, { includeDeleted: true }, call),
    { everyMs: 5_000 },
  )
  const { value: endpoint, problem, again } = answer
  const isLive = endpoint !== null && endpoint.deletedAt === null
  return (
    <>
      <PageHeading
        title={`Endpoint ${endpoint?.uid ?? id}`}
        actions={isLive ? <EndpointActions endpoint={endpoint} answer={answer} /> : undefined}
      >
        Endpoint {endpoint?.uid ?? id}
      </PageHeading>
      {problem !== null && <Problem what="The endpoint could not be read" why={problem} onAgain={again} />}
      {endpoint === null && problem === null && <Loading />}
      {endpoint !== null && <Health endpoint={endpoint} />}
      {isLive && <TestEvent endpoint={endpoint} />}
      {isLive && endpoint.signingSchemes[0] !== 'none' && <Secrets endpoint={endpoint} />}
      {endpoint !== null && <LatestDeliveries endpointId={endpoint.id} />}
      {endpoint !== null && <Settings endpoint={endpoint} />}
    </>
  )
}

const countedAtMost = 200

/** Counted as far as one page of the list goes. */
function useCount(endpoint: Endpoint, state: 'pending' | 'retry_scheduled'): Answer<string> {
  return useAnswer(
    `${state} of ${endpoint.id}`,
    async (call) => {
      const query = { endpointId: endpoint.id, state, limit: countedAtMost }
      const { items, nextCursor } = await server.deliveries.list(query, call)
      return `${items.length}${nextCursor === '' ? '' : '+'}`
    },
    { everyMs: 5_000 },
  )
}

function Health({ endpoint }: { readonly endpoint: Endpoint }) {
  const { effectiveHealth: health, failingSince, pausedAt, disabledAt } = endpoint
  const pending = useCount(endpoint, 'pending')
  const retries = useCount(endpoint, 'retry_scheduled')
  const day = useLastDays([endpoint.id]).value?.get(endpoint.id)
  const threshold = health.breakerThreshold.value
  return (
    <Part title="Health">
      <Facts
        of={[
          ['State', <EndpointState key="state" of={endpoint} />],
          ['Success rate, 24 hours', <SuccessOfDay key="success" of={day} />],
          ['Latency, 24 hours', <LatencyOfDay key="latency" of={day} />],
          ['In flight / limit', `${endpoint.inFlight} / ${endpoint.maxInFlight}`],
          ['Waiting', pending.value ?? '…'],
          ['Retries waiting', retries.value ?? '…'],
          [
            'Circuit breaker',
            threshold === 0
              ? 'switched off'
              : `${endpoint.consecutiveFailures} of ${threshold} failures in a row; then a pause of ${health.breakerPause.value}, at most ${health.breakerMaxPause.value}`,
          ],
          ['Nothing has succeeded since', failingSince && <Time at={failingSince} />],
          ['Disabled when failing for', health.disableAfter.value],
          ['Paused by hand', pausedAt && <Time at={pausedAt} />],
          ['Why it is paused', endpoint.pausedReason],
          ['Paused by', pausedAt && (endpoint.pausedBy ?? 'the configured token, or a program')],
          ['Disabled', disabledAt && <Time at={disabledAt} />],
        ]}
      />
    </Part>
  )
}

function Settings({ endpoint }: { readonly endpoint: Endpoint }) {
  const policy = endpoint.effectiveRetryPolicy
  return (
    <Part title="Settings">
      <Facts
        of={[
          [
            'Id',
            <>
              <code>{endpoint.id}</code> <CopyButton label="id" text={endpoint.id} />
            </>,
          ],
          ['What it is', endpoint.kind],
          [endpoint.urls.length > 1 ? 'URLs' : 'URL', endpoint.urls.join(' ')],
          ['Description', endpoint.description],
          ['Topics', endpoint.topics?.join(', ')],
          [
            'Subscriptions',
            <a key="all" href={hrefOf('subscriptions', { endpoint: endpoint.id })}>
              {endpoint.subscriptionCount} active
            </a>,
          ],
          ['Method', endpoint.method],
          ['Content type', endpoint.contentType],
          ['Timeout of one attempt', endpoint.timeout],
          ['Requests a second', endpoint.rateLimitRps],
          [
            'Signed as',
            endpoint.signingSchemes
              .map((one) => (typeof one === 'string' ? one : 'a form of its own'))
              .join(', '),
          ],
          ['Credential', endpoint.credentialId],
          ['Client certificate', endpoint.clientCertificateId],
          [
            'Retry policy',
            `${typeof policy.policy === 'string' ? policy.policy : 'one of its own'} (from the ${policy.from})`,
          ],
          ['Made', <Time key="made" at={endpoint.createdAt} />],
          ['Changed', <Time key="changed" at={endpoint.updatedAt} />],
          ['Deleted', endpoint.deletedAt && <Time at={endpoint.deletedAt} />],
        ]}
      />
      {Object.keys(endpoint.headers).length > 0 && <JsonBlock label="Headers" value={endpoint.headers} />}
      {endpoint.filter !== null && <JsonBlock label="Filter" value={endpoint.filter} />}
      {endpoint.settings !== null && <JsonBlock label="Settings of its kind" value={endpoint.settings} />}
      <p>
        <a href={hrefOf(pathOf('endpoints', endpoint.id, 'edit'))}>Edit</a>
      </p>
    </Part>
  )
}
