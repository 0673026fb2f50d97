import { goTo } from '../../kit/address.ts'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { SearchField } from '../../kit/search-field.tsx'
import { TimeSpanFields } from '../../kit/time-span-fields.tsx'
import { type EventFilterValues, stateChoices } from './event-filter.ts'

const texts = [
  ['topic', 'Topic', 'orders.*'],
  ['key', 'Ordering key', ''],
  ['metadata', 'Metadata', 'name=value'],
] as const

interface FiltersProps {
  readonly values: EventFilterValues
  readonly set: (values: Partial<EventFilterValues>) => void
}

export function EventFilters({ values, set }: FiltersProps) {
  // Another filter is another list, of which the place in the one before says nothing.
  const choose = (chosen: Partial<EventFilterValues>) => set({ ...chosen, cursor: '' })
  return (
    <div class="bar filters">
      <GoToId />
      {texts.map(([name, label, placeholder]) => (
        <SearchField
          key={name}
          label={label}
          placeholder={placeholder}
          value={values[name]}
          onChange={(value) => choose({ [name]: value })}
        />
      ))}
      <label>
        A delivery is{' '}
        <select
          value={values.state}
          onChange={({ currentTarget }) =>
            choose({ state: currentTarget.value as EventFilterValues['state'] })
          }
        >
          {stateChoices.map((one) => (
            <option key={one} value={one}>
              {one === '' ? 'in any state' : one.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <TimeSpanFields since={values.since} until={values.until} onChange={choose} />
    </div>
  )
}

/** An id is of one thing, so it leads there. */
function GoToId() {
  const tell = useTell()
  const go = (id: string) => {
    if (id === '') return
    if (id.startsWith('evt_')) return goTo(pathOf('events', id))
    if (id.startsWith('dlv_')) return goTo(pathOf('deliveries', id))
    tell.failed('An id of an event begins with evt_, one of a delivery with dlv_.')
  }
  return (
    <label>
      Id{' '}
      <input
        type="search"
        placeholder="evt_…"
        onChange={({ currentTarget }) => go(currentTarget.value.trim())}
      />
    </label>
  )
}
