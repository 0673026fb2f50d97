import { Moment } from './kit/moment.tsx'
import { relativeText } from './kit/relative-text.ts'

const relativeFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exactFormat = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' })

const relative = (at: string, nowMs: number) => relativeText(at, nowMs, relativeFormat)
const exact = (at: string) => exactFormat.format(Date.parse(at))

/** How long ago or ahead, and the exact moment with its zone. */
export function Time({ at }: { readonly at: string }) {
  return <Moment at={at} relative={relative} exact={exact} />
}
