/** The parts of a page about one thing. */
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useAddress } from './address.ts'
import { ExactTimes } from './moment.tsx'
import { useTell } from './results.tsx'
import { TimeSwitch } from './time-switch.tsx'

interface PageHeadingProps {
  readonly children: ComponentChildren
  /** Of the window, where the heading is no plain text. */
  readonly title?: string
  /** What can be done, to its right. */
  readonly actions?: ComponentChildren
}

/** The `<h1>` of a page. It takes the focus when somebody has come from another page, so that reading begins there. */
export function PageHeading({ children, title, actions }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { visit } = useAddress()
  // Before anything is painted: nobody has begun to do anything there yet.
  useLayoutEffect(() => {
    if (visit > 0) heading.current?.focus({ preventScroll: true })
  }, [visit])
  useEffect(() => {
    document.title = `${title ?? heading.current?.textContent ?? ''} – Outhook`
  })
  return (
    <div class="bar heading">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      <div class="bar actions">
        <TimeSwitch label={(zone) => `Exact times (${zone})`} />
        {actions}
      </div>
    </div>
  )
}

/** Under a heading of its own. */
export function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

/** Names with what they are; what is null is left out, and times are exact. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren])[]
}) {
  return (
    <ExactTimes.Provider value={true}>
      <dl class="facts">
        {of
          .filter(([, value]) => value !== null && value !== undefined && value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </ExactTimes.Provider>
  )
}

/** What was not shown, and what to do about it. */
export function Problem({
  what,
  why,
  onAgain,
}: {
  readonly what: string
  readonly why: string
  readonly onAgain: () => void
}) {
  return (
    <div role="alert" class="error">
      {what}: {why}{' '}
      <button type="button" onClick={onAgain}>
        Try again
      </button>
    </div>
  )
}

export function Loading() {
  return (
    <p role="status" class="hint" aria-busy="true">
      Loading …
    </p>
  )
}

interface CodeProps {
  /** What it is, for its button and for screen readers. */
  readonly label: string
  readonly text: string
}

/** As it is, line by line, in a scroll area of its own. */
export function CodeBlock({ label, text }: CodeProps) {
  return (
    <figure class="code">
      <figcaption>
        {label} <CopyButton label={label} text={text} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it. */}
      <section class="lines" tabIndex={0} aria-label={label}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </figure>
  )
}

export function JsonBlock({ label, value }: { readonly label: string; readonly value: unknown }) {
  return <CodeBlock label={label} text={JSON.stringify(value, null, 2)} />
}

export function CopyButton({ label, text }: CodeProps) {
  const tell = useTell()
  const copy = () =>
    // Without TLS browsers have no clipboard, but for the machine itself.
    (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))).then(
      () => tell(`Copied: ${label}`),
      () => tell.failed('The browser does not let the page copy; select the text and copy it yourself.'),
    )
  return (
    <button type="button" class="small" aria-label={`Copy ${label}`} onClick={copy}>
      Copy
    </button>
  )
}

/** One word on how something is: its colour helps, and the word alone says it. */
export function Badge({
  is,
  children,
}: {
  readonly is: 'good' | 'bad' | 'plain'
  readonly children: ComponentChildren
}) {
  return <span class={`badge ${is}`}>{children}</span>
}
