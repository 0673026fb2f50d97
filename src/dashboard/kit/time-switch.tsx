/** Whether lists say how long ago something was, or when exactly: one choice for all of them, kept in the browser. */
import { useEffect, useState } from 'preact/hooks'
import { createTimeForm } from './time-form.ts'

/** In a frame of another site browsers may refuse what they keep for a page; then the choice ends with the page. */
function keeperOf() {
  try {
    return localStorage
  } catch {
    return null
  }
}

const timeForm = createTimeForm(keeperOf())

/** Of a time that the choice is about, for as long as it is shown. */
export function useTimeForm(isChosenHere: boolean): 'relative' | 'exact' {
  const [form, setForm] = useState(timeForm.now)
  useEffect(() => (isChosenHere ? timeForm.show(() => setForm(timeForm.now())) : undefined), [isChosenHere])
  return form
}

/** A button at the head of a page that chooses, while the page shows a time that the choice is about. It names the zone. */
export function TimeSwitch({ label }: { readonly label: (zone: string) => string }) {
  const [state, setState] = useState({ form: timeForm.now(), isNeeded: timeForm.isShown() })
  useEffect(() => timeForm.watch(() => setState({ form: timeForm.now(), isNeeded: timeForm.isShown() })), [])
  if (!state.isNeeded) return null
  const isExact = state.form === 'exact'
  return (
    <button
      type="button"
      class="small"
      aria-pressed={isExact}
      onClick={() => timeForm.choose(isExact ? 'relative' : 'exact')}
    >
      {label(new Intl.DateTimeFormat().resolvedOptions().timeZone)}
    </button>
  )
}
