/** What was given up: why, and sending it again. */
import type { DeadLetter } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { type Column, KeysetTable, Rows, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { SearchField } from '../../kit/search-field.tsx'
import { TimeSpanFields } from '../../kit/time-span-fields.tsx'
import { list, text, type ValuesOf } from '../../kit/url-values.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { ReplayAll, ReplaySelected, useReplay } from './replay.tsx'

const shape = {
  since: text,
  until: text,
  endpoint: text,
  topic: text,
  error: text,
  selected: list,
  cursor: text,
}

export function Page() {
  const [values, set] = useUrlState(shape)
  const filter = filterOf(values)
  const key = JSON.stringify(filter)
  const page = usePage(`dead letters ${key}`, (query, call) =>
    server.deadLetters.list({ ...query, ...filter }, call),
  )
  const reasons = useAnswer(`reasons ${key}`, (call) => server.deadLetters.countReasons(filter, call))
  const again = () => {
    page.again()
    reasons.again()
  }
  const select = (selected: readonly string[]) => set({ selected }, 'replace')
  const replay = useReplay(again)
  const isFiltered = Object.keys(filter).length > 0
  return (
    <>
      <PageHeading actions={<ReplayAll filter={filter} onDone={again} />}>Dead letters</PageHeading>
      <Filters values={values} set={set} />
      <Part title="By reason">
        {reasons.problem !== null && (
          <Problem what="Reasons could not be counted" why={reasons.problem} onAgain={reasons.again} />
        )}
        {reasons.value !== null && reasons.value.reasons.length > 0 && (
          <Rows
            label="Reasons"
            rows={reasons.value.reasons}
            keyOf={({ errorClass }) => errorClass}
            columns={[
              {
                title: 'Reason',
                cell: ({ errorClass }) => (
                  <button
                    type="button"
                    class="small"
                    aria-pressed={values.error === errorClass}
                    onClick={() =>
                      set({ error: values.error === errorClass ? '' : errorClass, selected: [], cursor: '' })
                    }
                  >
                    {errorClass}
                  </button>
                ),
              },
              { title: 'Dead letters', isNumber: true, cell: ({ count }) => count },
            ]}
          />
        )}
        {reasons.value !== null && !reasons.value.complete && (
          <p class="hint">Of the newest 10 000; there may be more.</p>
        )}
      </Part>
      <Part title="Dead letters">
        <ReplaySelected
          selected={values.selected}
          onDone={() => {
            select([])
            again()
          }}
        />
        <KeysetTable
          label="Dead letters"
          page={page}
          keyOf={({ deliveryId }) => deliveryId}
          columns={columnsOf(replay)}
          selection={{ selected: values.selected, onSelect: select }}
          empty={
            isFiltered ? (
              <>
                None is like this. <a href={hrefOf('dead-letters')}>Show all</a>
              </>
            ) : (
              'None: nothing was given up. There is nothing to do here.'
            )
          }
        />
      </Part>
    </>
  )
}

type Values = ValuesOf<typeof shape>

function filterOf({ since, until, endpoint, topic, error }: Values) {
  return {
    ...(since !== '' && { since }),
    ...(until !== '' && { until }),
    ...(endpoint !== '' && { endpointId: endpoint }),
    ...(topic !== '' && { topic }),
    ...(error !== '' && { errorClass: error }),
  }
}

interface FiltersProps {
  readonly values: Values
  readonly set: (values: Partial<Values>) => void
}

function Filters({ values, set }: FiltersProps) {
  // Another filter is another list: what was selected in the one before is not in sight any more.
  const choose = (chosen: Partial<Values>) => set({ ...chosen, selected: [], cursor: '' })
  return (
    <div class="bar filters">
      <TimeSpanFields since={values.since} until={values.until} onChange={choose} />
      {(
        [
          ['endpoint', 'Endpoint (id)'],
          ['topic', 'Topic'],
          ['error', 'Reason'],
        ] as const
      ).map(([name, label]) => (
        <SearchField
          key={name}
          label={label}
          value={values[name]}
          onChange={(value) => choose({ [name]: value })}
        />
      ))}
    </div>
  )
}

function columnsOf(replay: (id: string) => Promise<string>): readonly Column<DeadLetter>[] {
  return [
    {
      title: 'Delivery',
      cell: (one) => (
        <a href={hrefOf(pathOf('deliveries', one.deliveryId))}>{one.topic ?? 'a direct send'}</a>
      ),
    },
    {
      title: 'Endpoint',
      cell: ({ endpointId }) =>
        endpointId === null ? '–' : <a href={hrefOf(pathOf('endpoints', endpointId))}>{endpointId}</a>,
    },
    {
      title: 'Why',
      cell: ({ finalError, lastError }) => (
        <>
          {finalError}
          {lastError !== null && lastError !== finalError && <p class="hint">{lastError}</p>}
        </>
      ),
    },
    { title: 'Attempts', isNumber: true, cell: ({ attemptCount }) => attemptCount },
    { title: 'Given up', cell: ({ deadAt }) => <Time at={deadAt} /> },
    {
      title: 'What can be done',
      cell: ({ deliveryId }) => (
        <ActButton needs="operator" class="small" act={() => replay(deliveryId)}>
          Replay
        </ActButton>
      ),
    },
  ]
}
