/** The state of the system, read in three seconds. */
import { useState } from 'preact/hooks'
import { troubleOf } from './endpoint-trouble.ts'
import { PageHeading } from './kit/detail.tsx'
import { useSession } from './kit/session.ts'
import { LatestDeadLetters, LatestEvents, TroubledEndpoints } from './overview-tables.tsx'
import type { OverviewFigures, Some } from './read-overview.ts'
import { Time } from './times.tsx'
import { useFigures } from './use-figures.ts'

export function Page() {
  const { tenant, onSignedOut } = useSession()
  const [isPaused, setPaused] = useState(false)
  const { shown, readAt, problem } = useFigures({ tenant, isPaused, onSignedOut })
  return (
    <>
      <div class="bar">
        <PageHeading>Overview</PageHeading>
        <span class="hint" role="status">
          {readAt === null ? 'loading …' : isPaused ? 'paused' : 'live'}
          {readAt !== null && (
            <>
              , read <Time at={readAt} />
            </>
          )}
        </span>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {problem !== null && (
        <p role="alert" class="error">
          {shown === null ? '' : 'These figures are old. '}The server was asked and did not say: {problem}. It
          is asked again by itself.
        </p>
      )}
      {shown !== null && <Figures figures={shown} />}
    </>
  )
}

function Figures({ figures }: { readonly figures: OverviewFigures }) {
  const { endpoints, waiting, inFlight, retries, deadLetters, events } = figures
  const troubled = { ...endpoints, items: endpoints.items.filter((one) => troubleOf(one) !== null) }
  return (
    <>
      <dl class="figures">
        <Figure name="Endpoints" of={endpoints} />
        <Figure name="Endpoints in trouble" of={troubled} isBad />
        <Figure name="Waiting" of={waiting} />
        <Figure name="In flight" of={inFlight} />
        <Figure name="Retries waiting" of={retries} />
        <Figure name="Dead letters" of={deadLetters} isBad />
      </dl>
      <TroubledEndpoints endpoints={troubled.items} hasAny={endpoints.items.length > 0} />
      <LatestDeadLetters deadLetters={deadLetters.items} endpoints={endpoints.items} />
      <LatestEvents events={events.items} />
    </>
  )
}

interface FigureProps {
  readonly name: string
  readonly of: Some<unknown>
  /** More than none is nothing to be glad of. */
  readonly isBad?: boolean
}

function Figure({ name, of: { items, hasMore }, isBad = false }: FigureProps) {
  return (
    <div class={isBad && items.length > 0 ? 'bad' : ''}>
      <dt>{name}</dt>
      <dd>
        {items.length}
        {hasMore && <span title="there are more than one page of the list holds">+</span>}
      </dd>
    </div>
  )
}
