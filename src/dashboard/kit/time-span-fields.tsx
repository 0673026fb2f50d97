/** From when until when something is listed, in the time zone of whoever looks. */
import { useId } from 'preact/hooks'
import { fromLocal, toLocal } from './local-time.ts'

/** RFC 3339, UTC; empty: no bound. */
interface TimeSpan {
  readonly since: string
  readonly until: string
}

interface TimeSpanFieldsProps extends TimeSpan {
  readonly onChange: (changed: Partial<TimeSpan>) => void
}

const names = [
  ['since', 'From'],
  ['until', 'Before'],
] as const

export function TimeSpanFields({ onChange, ...span }: TimeSpanFieldsProps) {
  const id = useId()
  return (
    <>
      {names.map(([name, label]) => (
        <label key={name}>
          {label}{' '}
          <input
            type="datetime-local"
            aria-describedby={id}
            value={toLocal(span[name])}
            onChange={({ currentTarget }) => onChange({ [name]: fromLocal(currentTarget.value) })}
          />
        </label>
      ))}
      <span id={id} class="hint">
        Time zone: {new Intl.DateTimeFormat().resolvedOptions().timeZone}
      </span>
    </>
  )
}
