/** One line per attempt, for watching. */
import { styleText } from 'node:util'
import { formatWait } from '../core/duration.ts'
import type { AttemptLine } from './io.ts'
import { shortenId } from './short-id.ts'

export interface AttemptLineOptions {
  readonly colour: boolean
  /** The endpoint's uid or id; the origin of its URL where there is none. */
  readonly endpoint: string | null
}

/** `✓ demo.hello  200  4 ms  attempt 1  succeeded  dev-receiver  dlv_…7can9tf7` */
export function renderAttempt(attempt: AttemptLine, { colour, endpoint }: AttemptLineOptions): string {
  const { mark, style } = appearance(attempt.state)
  const head = `${mark} ${attempt.topic ?? '(direct)'}`
  const parts = [
    colour ? styleText(style, head, { validateStream: false }) : head,
    String(attempt.errorClass ?? attempt.httpStatus ?? '-'),
    `${Math.round(attempt.latencyMs)} ms`,
    `attempt ${attempt.attemptNo}`,
    attempt.nextAttemptInMs === null ? attempt.state : `again in ${formatWait(attempt.nextAttemptInMs)}`,
    endpoint ?? attempt.url,
    shortenId(attempt.deliveryId),
  ]
  return parts.join('  ')
}

function appearance(state: string): { readonly mark: string; readonly style: 'green' | 'yellow' | 'red' } {
  if (state === 'succeeded') return { mark: '✓', style: 'green' }
  if (state === 'dead_lettered') return { mark: '✗', style: 'red' }
  return { mark: '↻', style: 'yellow' }
}
