/** A button that does something at the server: it says why it may not, that it is at it, and what came of it. */
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { isSignedOut, messageOf } from '../server.ts'
import { useTell } from './results.tsx'
import type { Role } from './role.ts'
import { useSession } from './session.ts'

interface ActButtonProps {
  readonly needs: Role
  /** Why it cannot be done now, whoever asks; null: it can. */
  readonly whyNot?: string | null
  readonly class?: string
  /** What it answers is told; undefined: nothing is to be told. What it throws is told as a failure. */
  // biome-ignore lint/suspicious/noConfusingVoidType: it may be what opens a dialog, and gives nothing back.
  readonly act: () => Promise<ComponentChildren> | undefined | void
  readonly children: ComponentChildren
}

export function ActButton({ needs, whyNot = null, act, children, class: name = '' }: ActButtonProps) {
  const session = useSession()
  const tell = useTell()
  const [isBusy, setBusy] = useState(false)
  const id = useId()
  const reason = session.whyNot(needs) ?? whyNot
  const click = async () => {
    if (reason !== null || isBusy) return
    setBusy(true)
    try {
      const said = await act()
      if (said !== undefined) tell(said as ComponentChildren)
    } catch (error) {
      if (isSignedOut(error)) return session.onSignedOut()
      tell.failed(messageOf(error))
    } finally {
      setBusy(false)
    }
  }
  // Not `disabled`, which the keyboard could not reach to learn the reason.
  return (
    <span class="act">
      <button
        type="button"
        class={name}
        aria-disabled={reason !== null || isBusy}
        aria-describedby={reason === null ? undefined : id}
        onClick={click}
      >
        {children}
      </button>
      {reason !== null && (
        <span id={id} role="tooltip" class="reason">
          {reason}
        </span>
      )}
    </span>
  )
}
