/** What the tenant's own people say of an endpoint. */
import type { Endpoint } from '../../client/index.ts'
import { EventChoice } from './event-choice.tsx'
import { t } from './locales.ts'
import { Field, Form } from './parts.tsx'

export interface EndpointValues {
  readonly url: string
  readonly description: string
  readonly topics: string[]
  readonly headers: Record<string, string>
}

interface EndpointFormProps {
  readonly submit: string
  /** Null: a new one. */
  readonly of: Endpoint | null
  readonly onSubmit: (values: EndpointValues) => Promise<void>
  readonly onCancel: () => void
}

export function EndpointForm({ submit, of, onSubmit, onCancel }: EndpointFormProps) {
  const send = (values: (name: string) => string) =>
    onSubmit({
      url: values('url'),
      description: values('description'),
      topics: linesOf(values('topics')),
      headers: headersOf(values('headers')),
    })
  const isSecretUrl = of !== null && of.kind !== 'http'
  return (
    <Form submit={submit} onSubmit={send} onCancel={onCancel}>
      {!isSecretUrl && (
        <Field name="url" label={t('url')} hint={t('urlHint')} type="url" value={of?.url ?? ''} isRequired />
      )}
      <Field name="description" label={t('description')} value={of?.description ?? ''} />
      <EventChoice chosen={of === null ? [] : (of.topics ?? [])} />
      <Field
        name="headers"
        label={t('headers')}
        hint={t('headersHint')}
        rows={3}
        value={Object.entries(of?.headers ?? {})
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n')}
      />
    </Form>
  )
}

export function linesOf(text: string): string[] {
  return [...new Set(text.split('\n').map((line) => line.trim()))].filter((line) => line !== '')
}

/** A line without a colon is a name without a value, which the server refuses by name. */
export function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const at = line.indexOf(':')
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    }),
  )
}
