/** The state of the system, read in three seconds. */
import { useState } from 'preact/hooks'
import { LatestDeadLetters, LatestEvents, TroubledEndpoints } from './overview-tables.tsx'
import { type OverviewFigures, type Some, troubleOf } from './read-overview.ts'
import { TenantChoice, tenantInAddress } from './tenant-choice.tsx'
import { Time } from './times.tsx'
import { useFigures } from './use-figures.ts'

interface OverviewProps {
  readonly choosesTenant: boolean
  readonly onSignedOut: () => void
}

export function Overview({ choosesTenant, onSignedOut }: OverviewProps) {
  const [tenant, setTenant] = useState(choosesTenant ? tenantInAddress() : undefined)
  const [isPaused, setPaused] = useState(false)
  const { shown, readAt, problem } = useFigures({ tenant, isPaused, onSignedOut })
  return (
    <>
      <div class="bar">
        <h1>Overview</h1>
        {choosesTenant && <TenantChoice tenant={tenant} onChoose={setTenant} />}
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
