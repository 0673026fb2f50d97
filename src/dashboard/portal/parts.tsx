/** What the pages of the portal are made of. No text stands here but by its key. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useAddress } from '../kit/address.ts'
import { ExactTimes, Moment } from '../kit/moment.tsx'
import { TimeSwitch } from '../kit/time-switch.tsx'
import { formatMoment, formatRelative, t } from './locales.ts'
import { type Asked, messageOf, statusOf, useSession } from './session.tsx'

/** The `<h1>` of a page. It takes the focus when somebody has come from another page. */
export function Heading({ children, actions }: { children: ComponentChildren; actions?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { visit } = useAddress()
  useEffect(() => {
    if (visit > 0) heading.current?.focus({ preventScroll: true })
  }, [visit])
  useEffect(() => {
    document.title = `${heading.current?.textContent ?? ''} – ${t('title')}`
  })
  return (
    <div class="bar heading">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      <div class="bar actions">
        <TimeSwitch label={(zone) => t('exactTimes', { zone })} />
        {actions}
      </div>
    </div>
  )
}

export function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

/** What was asked for, once it is there; until then that it is on its way, or why it is not. */
export function Shown<T>({ of, children }: { of: Asked<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {of.problem !== null && (
        <div role="alert" class="error">
          {t('unreadable', { why: of.problem })}{' '}
          <button type="button" onClick={of.again}>
            {t('tryAgain')}
          </button>
        </div>
      )}
      {of.value === null && of.problem === null && (
        <p role="status" class="hint">
          {t('loading')}
        </p>
      )}
      {of.value !== null && children(of.value)}
    </>
  )
}

interface ActProps {
  readonly class?: string
  readonly label?: string
  readonly act: () => Promise<string | undefined>
  readonly children: ComponentChildren
}

/** A button that does something at the server, and says beside it what came of it. */
export function Act({ act, children, label, class: name = '' }: ActProps) {
  const { onEnd } = useSession()
  const [said, setSaid] = useState<{ readonly text: string; readonly isBad: boolean } | null>(null)
  const [isBusy, setBusy] = useState(false)
  const click = async () => {
    if (isBusy) return
    setBusy(true)
    setSaid(null)
    try {
      const text = await act()
      if (text !== undefined) setSaid({ text, isBad: false })
    } catch (error) {
      if (statusOf(error) === 401) return onEnd(error)
      setSaid({ text: t('failed', { why: messageOf(error) }), isBad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <span class="act">
      <button type="button" class={name} aria-label={label} aria-disabled={isBusy} onClick={click}>
        {children}
      </button>{' '}
      <span role="status" class={said?.isBad ? 'wrong' : 'hint'}>
        {said?.text}
      </span>
    </span>
  )
}

interface FormProps {
  readonly submit: string
  readonly onSubmit: (values: (name: string) => string) => Promise<void>
  readonly onCancel?: () => void
  readonly children: ComponentChildren
}

export function Form({ submit, onSubmit, onCancel, children }: FormProps) {
  const { onEnd } = useSession()
  const [problem, setProblem] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    if (isBusy) return
    const values = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setProblem(null)
    try {
      await onSubmit((name) => values.getAll(name).map(String).join('\n').trim())
    } catch (error) {
      if (statusOf(error) === 401) return onEnd(error)
      setProblem(messageOf(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="fields" onSubmit={send}>
      {children}
      {problem !== null && (
        <p role="alert" class="wrong">
          {t('failed', { why: problem })}
        </p>
      )}
      <div class="bar">
        <button type="submit" aria-disabled={isBusy}>
          {submit}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            {t('cancel')}
          </button>
        )}
      </div>
    </form>
  )
}

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly value?: string
  readonly rows?: number
  readonly type?: 'text' | 'url' | 'datetime-local'
  readonly isRequired?: boolean
}

export function Field({ name, label, hint, value = '', rows, type = 'text', isRequired }: FieldProps) {
  const id = useId()
  const common = {
    id,
    name,
    required: isRequired ?? false,
    'aria-describedby': hint === undefined ? undefined : `${id}-hint`,
    // Addresses, names of events and headers are written from left to right in every language.
    dir: 'auto' as const,
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows !== undefined && <textarea {...common} rows={rows} defaultValue={value} />}
      {rows === undefined && type === 'text' && <input {...common} type="text" defaultValue={value} />}
      {rows === undefined && type === 'url' && <input {...common} type="url" defaultValue={value} />}
      {rows === undefined && type === 'datetime-local' && (
        <input {...common} type="datetime-local" defaultValue={value} />
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

export function Facts({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }) {
  const shown = of.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return (
    <ExactTimes.Provider value={true}>
      <dl class="facts">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </ExactTimes.Provider>
  )
}

export function Table({
  label,
  titles,
  rows,
}: {
  readonly label: string
  readonly titles: readonly string[]
  readonly rows: readonly (readonly [key: string, ...cells: ComponentChildren[]])[]
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it.
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {titles.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([key, ...cells]) => (
            <tr key={key}>
              {cells.map((cell, at) => (
                <td key={titles[at]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function Code({ label, text }: { readonly label: string; readonly text: string }) {
  const [said, setSaid] = useState('')
  const copy = () =>
    (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))).then(
      () => setSaid(t('copied')),
      () => setSaid(t('copyFailed')),
    )
  return (
    <figure class="code">
      <figcaption>
        {label}{' '}
        <button type="button" class="small" aria-label={t('copyOf', { what: label })} onClick={copy}>
          {t('copy')}
        </button>{' '}
        <span role="status" class="hint">
          {said}
        </span>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it. */}
      <section class="lines" tabIndex={0} aria-label={label} dir="ltr">
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </figure>
  )
}

export function Badge({ is, children }: { is: 'good' | 'bad' | 'plain'; children: ComponentChildren }) {
  return <span class={`badge ${is}`}>{children}</span>
}

export function Time({ at }: { readonly at: string }) {
  return <Moment at={at} relative={formatRelative} exact={formatMoment} />
}
