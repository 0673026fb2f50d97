/** What came of an action: said at the edge of the page, and to screen readers, without taking the focus. */
import { type ComponentChildren, createContext } from 'preact'
import { useContext, useRef, useState } from 'preact/hooks'

/** Good news goes by itself; what went wrong stays until it is closed. */
const shownMs = 8_000

interface Result {
  readonly id: number
  readonly text: ComponentChildren
  readonly isBad: boolean
}

interface Tell {
  (text: ComponentChildren): void
  readonly failed: (text: ComponentChildren) => void
}

const TellContext = createContext<Tell | null>(null)

export function Results({ children }: { readonly children: ComponentChildren }) {
  const [results, setResults] = useState<readonly Result[]>([])
  const last = useRef(0)
  const tell = useRef<Tell | null>(null)
  const close = (id: number) => setResults((before) => before.filter((one) => one.id !== id))
  const add = (text: ComponentChildren, isBad: boolean) => {
    const id = ++last.current
    setResults((before) => [...before, { id, text, isBad }].slice(-4))
    if (!isBad) setTimeout(() => close(id), shownMs)
  }
  tell.current ??= Object.assign((text: ComponentChildren) => add(text, false), {
    failed: (text: ComponentChildren) => add(text, true),
  })
  return (
    <TellContext.Provider value={tell.current}>
      {children}
      <div class="results" role="status" aria-live="polite">
        {results.map(({ id, text, isBad }) => (
          <div key={id} class={isBad ? 'result bad' : 'result'}>
            <span>{text}</span>
            <button type="button" aria-label="Close this message" onClick={() => close(id)}>
              ×
            </button>
          </div>
        ))}
      </div>
    </TellContext.Provider>
  )
}

/** `tell('Paused')`, or `tell.failed('Not paused: …')`. */
export function useTell(): Tell {
  const tell = useContext(TellContext)
  if (tell === null) throw new Error('there is nowhere to tell it; show pages inside of the frame')
  return tell
}
