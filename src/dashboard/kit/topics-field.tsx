/** Patterns of topics, one on each line, and beside them the names of the catalogue, which need not be known by heart. */
import { useId, useRef } from 'preact/hooks'
import { server } from '../server.ts'
import { TextField } from './form.tsx'
import { asList } from './form-fields.ts'
import { useTell } from './results.tsx'
import { useAnswer } from './use-answer.ts'

interface TopicsFieldProps {
  readonly name: string
  readonly label: string
  readonly hint?: string | undefined
  readonly value: string
  readonly rows: number
  readonly placeholder: string
}

const maxTypes = 200

/** What is deprecated is offered to nobody. Without a catalogue there is the field alone. */
export function TopicsField(props: TopicsFieldProps) {
  const whole = useRef<HTMLDivElement>(null)
  const { value: types } = useAnswer('event types to choose from', (call) =>
    server.eventTypes.list({ limit: maxTypes, deprecated: false }, call),
  )
  const add = (topic: string) => {
    const area = whole.current?.querySelector('textarea')
    if (area) area.value = [...new Set([...asList(area.value), topic])].join('\n')
  }
  return (
    <div ref={whole} class="fields">
      <TextField {...props} />
      {types !== null && types.items.length > 0 && (
        <EventTypeChoice names={types.items.map(({ name }) => name)} onChoose={add} />
      )}
    </div>
  )
}

interface ChoiceProps {
  readonly names: readonly string[]
  readonly onChoose: (name: string) => void
}

function EventTypeChoice({ names, onChoose }: ChoiceProps) {
  const id = useId()
  const tell = useTell()
  const input = useRef<HTMLInputElement>(null)
  const choose = () => {
    const name = input.current?.value.trim() ?? ''
    if (input.current === null || name === '') return
    input.current.value = ''
    onChoose(name)
    tell(`Added: ${name}`)
  }
  // In the form, where Enter would send it.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    choose()
  }
  return (
    <div class="field">
      <label for={id}>Event type of the catalogue</label>
      <div class="bar">
        <input
          ref={input}
          class="wide"
          id={id}
          list={`${id}-names`}
          placeholder={names[0] ?? ''}
          autocomplete="off"
          spellcheck={false}
          onKeyDown={onKeyDown}
        />
        <button type="button" onClick={choose}>
          Add to the topics
        </button>
      </div>
      <datalist id={`${id}-names`}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  )
}
