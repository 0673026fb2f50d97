/** The state of the system, read in three seconds: is it well, what is not, and how it came to be. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Stats, Trouble } from '../../../client/index.ts'
import { useUrlState } from '../../kit/address.ts'
import { Badge, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import {
  bytesText,
  countText,
  msText,
  percentText,
  perSecondText,
  secondsText,
} from '../../kit/figure-text.ts'
import { useSession } from '../../kit/session.ts'
import { oneOf } from '../../kit/url-values.ts'
import { type Answer, useAnswer } from '../../kit/use-answer.ts'
import { messageOf, server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { DeadLetterReasons, Nodes, RetriesDue, WorstEndpoints } from './tables.tsx'
import { mostTroubled, verdictOf } from './verdict.ts'

const spanNames = { '1h': '1 hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days' } as const
type SpanName = keyof typeof spanNames
const shape = { span: oneOf(['1h', '24h', '7d', '30d']) }

const nowEveryMs = 3_000

export function Page() {
  const { tenant, signIn, isOfAllTenants } = useSession()
  const now = useAnswer('stats', (call) => server.stats.readNow(call), { everyMs: nowEveryMs })
  const trouble = useAnswer('trouble', (call) => server.stats.listTrouble({ limit: mostTroubled }, call), {
    everyMs: nowEveryMs,
  })
  const { value: stats, problem, again } = now
  return (
    <>
      <PageHeading>Overview</PageHeading>
      <p class="hint">
        {isOfAllTenants ? 'Of all tenants together' : `Of the tenant ${tenant ?? signIn.tenantId}`}
        {stats !== null && (
          <>
            , read <Time at={stats.readAt} />, and read again by itself
          </>
        )}
      </p>
      {problem !== null && <Problem what="The figures could not be read" why={problem} onAgain={again} />}
      {stats === null && problem === null && <Loading />}
      <Verdict now={now} trouble={trouble} />
      {stats !== null && <Figures of={stats} />}
      <OverTime />
      <WorstEndpoints trouble={trouble} />
      {stats !== null && (
        <div class="columns">
          <DeadLetterReasons of={stats} />
          <RetriesDue of={stats} />
        </div>
      )}
      {stats !== null && stats.nodes.length > 0 && <Nodes of={stats} />}
    </>
  )
}

interface VerdictProps {
  readonly now: Answer<Stats>
  readonly trouble: Answer<Trouble>
}

function Verdict({ now, trouble }: VerdictProps) {
  const verdict = verdictOf(now, trouble)
  if (verdict.is === 'loading') return null
  if (verdict.is === 'unknown') {
    return (
      <section class="verdict unknown" aria-label="How it is">
        <p>
          <Badge is="plain">not known</Badge> {verdict.why}
        </p>
      </section>
    )
  }
  const { concerns } = verdict
  return (
    <section class={concerns.length === 0 ? 'verdict good' : 'verdict bad'} aria-label="How it is">
      {concerns.length === 0 ? (
        <p>
          <Badge is="good">well</Badge> What is published is delivered.
        </p>
      ) : (
        <>
          <Badge is="bad">not well</Badge>
          <ul>
            {concerns.map(({ text }) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function Figures({ of: { rates, recent, backlog, deadLetters, nodes, store } }: { readonly of: Stats }) {
  const { p50, p99 } = recent.publishToDeliveredMs
  const { deliveries, oldestDueSeconds } = backlog
  const inFlight =
    nodes.length > 0 ? nodes.reduce((sum, node) => sum + node.inFlight, 0) : deliveries.inFlight
  const newlyDead = deadLetters.lastDay.reduce((sum, { count }) => sum + count, 0)
  return (
    <dl class="figures">
      <Figure name="Events" note="published per second">
        {perSecondText(rates.eventsPerSecond)}
      </Figure>
      <Figure name="Deliveries" note="delivered per second">
        {perSecondText(rates.deliveriesPerSecond)}
      </Figure>
      <Figure name="Success rate" note="of attempts, 5 minutes">
        {percentText(recent.successRate)}
      </Figure>
      <Figure name="Publish to delivered" note={`half of them; 99 % ${msText(p99)}`}>
        {msText(p50)}
      </Figure>
      <Figure
        name="Waiting"
        note={oldestDueSeconds === null ? 'none is late' : `oldest due for ${secondsText(oldestDueSeconds)}`}
      >
        {countText(deliveries.pending)}
      </Figure>
      <Figure name="In flight" note="requests that are open">
        {countText(inFlight)}
      </Figure>
      <Figure name="Retries waiting" note="are tried again">
        {countText(deliveries.retryScheduled)}
      </Figure>
      <Figure name="Dead letters" note={`${countText(newlyDead)} in 24 hours`} isBad={newlyDead > 0}>
        {countText(deadLetters.total)}
      </Figure>
      {store !== null && (
        <Figure name="Store" note={store.kind}>
          {bytesText(store.sizeBytes)}
        </Figure>
      )}
    </dl>
  )
}

interface FigureProps {
  readonly name: string
  readonly note: string
  readonly isBad?: boolean
  readonly children: ComponentChildren
}

function Figure({ name, note, isBad = false, children }: FigureProps) {
  return (
    <div class={isBad ? 'bad' : ''}>
      <dt>{name}</dt>
      <dd>{children}</dd>
      <dd class="note">{note}</dd>
    </div>
  )
}

function OverTime() {
  const [{ span }, set] = useUrlState(shape)
  return (
    <Part title="Over time">
      <fieldset class="bar spans">
        <legend class="hidden">How far back</legend>
        {(Object.keys(spanNames) as SpanName[]).map((name) => (
          <button key={name} type="button" aria-pressed={name === span} onClick={() => set({ span: name })}>
            {spanNames[name]}
          </button>
        ))}
      </fieldset>
      <SeriesCharts span={span} />
    </Part>
  )
}

/** Of an endpoint, or of all. */
function SeriesCharts({ span, endpointId }: { readonly span: SpanName; readonly endpointId?: string }) {
  const series = useAnswer(
    `series ${span} ${endpointId ?? ''}`,
    (call) => server.stats.readSeries({ span, endpointId }, call),
    { everyMs: span === '1h' ? 5_000 : 60_000 },
  )
  const Charts = useCharts()
  const { value, problem, again } = series
  if (Charts.problem !== null) return <p class="error">The charts could not be loaded: {Charts.problem}</p>
  return (
    <>
      {problem !== null && <Problem what="The charts could not be read" why={problem} onAgain={again} />}
      {(value === null || Charts.loaded === null) && problem === null && <Loading />}
      {value !== null && Charts.loaded !== null && <Charts.loaded.Charts series={value} />}
    </>
  )
}

type ChartsChunk = typeof import('./charts.tsx')

/** A chunk of its own, which the figures do not wait for. */
function useCharts() {
  const [loaded, setLoaded] = useState<ChartsChunk | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    let isShown = true
    import('./charts.tsx').then(
      (chunk) => isShown && setLoaded(chunk),
      (error: unknown) => isShown && setProblem(messageOf(error)),
    )
    return () => {
      isShown = false
    }
  }, [])
  return { loaded, problem }
}
