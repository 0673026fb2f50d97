/** One line per attempt, for watching. */
import { styleText } from 'node:util'
import { formatDuration } from '../core/duration.ts'
import type { AttemptLine } from './io.ts'

/** `✓ demo.hello  200  4 ms  attempt 1  succeeded  http://127.0.0.1:4321  dlv_…` */
export function renderAttempt(attempt: AttemptLine, colour: boolean): string {
  const { mark, style } = appearance(attempt.state)
  const head = `${mark} ${attempt.topic ?? '(direct)'}`
  const parts = [
    colour ? styleText(style, head, { validateStream: false }) : head,
    String(attempt.errorClass ?? attempt.httpStatus ?? '-'),
    `${Math.round(attempt.latencyMs)} ms`,
    `attempt ${attempt.attemptNo}`,
    attempt.nextAttemptInMs === null
      ? attempt.state
      : `again in ${formatDuration(roundToSeconds(attempt.nextAttemptInMs))}`,
    attempt.url,
    attempt.deliveryId,
  ]
  return parts.join('  ')
}

function roundToSeconds(ms: number): number {
  return ms < 1000 ? Math.round(ms) : Math.round(ms / 1000) * 1000
}

function appearance(state: string): { readonly mark: string; readonly style: 'green' | 'yellow' | 'red' } {
  if (state === 'succeeded') return { mark: '✓', style: 'green' }
  if (state === 'dead_lettered') return { mark: '✗', style: 'red' }
  return { mark: '↻', style: 'yellow' }
}
