/** Which events an endpoint gets: those of the catalogue, with what they are, or names and patterns where there is none. */
import { useState } from 'preact/hooks'
import { readEventTypes } from './event-types.ts'
import { t } from './locales.ts'
import { Code, Field, Shown } from './parts.tsx'
import { useAsk } from './session.tsx'

export function EventChoice({ chosen }: { readonly chosen: readonly string[] }) {
  const types = useAsk('event types', readEventTypes)
  return (
    <fieldset>
      <legend>{t('events')}</legend>
      <Shown of={types}>{(known) => <Choice known={known} chosen={chosen} />}</Shown>
    </fieldset>
  )
}

interface ChoiceProps {
  readonly known: Awaited<ReturnType<typeof readEventTypes>>
  readonly chosen: readonly string[]
}

function Choice({ known, chosen }: ChoiceProps) {
  const [isAll, setAll] = useState(chosen.includes('*') || chosen.length === 0)
  const names = known.map(({ name }) => name)
  // Patterns that somebody wrote before there was a catalogue stay.
  const others = chosen.filter((topic) => topic !== '*' && !names.includes(topic))
  return (
    <>
      <label class="tick">
        <input type="checkbox" name="topics" value="*" checked={isAll} onChange={() => setAll(!isAll)} />{' '}
        {t('allEvents')}
      </label>
      {!isAll &&
        known.map(({ name, description, example }) => (
          <div key={name}>
            <label class="tick">
              <input type="checkbox" name="topics" value={name} defaultChecked={chosen.includes(name)} />{' '}
              <bdi>{name}</bdi>
            </label>
            {description !== '' && <p class="hint">{description}</p>}
            {example !== undefined && (
              <details>
                <summary>{t('example')}</summary>
                <Code label={name} text={JSON.stringify(example, null, 2)} />
              </details>
            )}
          </div>
        ))}
      {!isAll && (known.length === 0 || others.length > 0) && (
        <Field
          name="topics"
          label={t('events')}
          hint={t('eventsHint')}
          rows={4}
          value={others.join('\n')}
          isRequired={known.length === 0}
        />
      )}
    </>
  )
}
