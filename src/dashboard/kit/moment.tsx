/** A time: how long ago or ahead it is, which goes on by itself, and the exact one. */
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { now } from '../clock.ts'
import { Ticker } from './ticker.ts'
import { useTimeForm } from './time-switch.tsx'

/**
 * Whether the exact time stands beside the relative one, where there are few. In a list, where each would be twice as wide,
 * there is one of the two, as `TimeSwitch` at the head of the page has it: keyboards and fingers do not get at what is said
 * to a mouse alone, and if each time took the focus, it would be one more stop on the way through the list.
 */
export const ExactTimes = createContext(false)

const ticker = new Ticker(document)

interface MomentProps {
  readonly at: string
  readonly relative: (at: string, nowMs: number) => string
  readonly exact: (at: string) => string
}

export function Moment({ at, relative, exact }: MomentProps) {
  const isBeside = useContext(ExactTimes)
  const isExactAlone = useTimeForm(!isBeside) === 'exact' && !isBeside
  const said = relative(at, now())
  const [, setSaid] = useState(said)
  useEffect(() => ticker.add(Date.parse(at), () => setSaid(relative(at, now()))), [at])
  return (
    <>
      {/* Inside of a live region the ticks would be read out. */}
      <time dateTime={at} title={isBeside ? undefined : isExactAlone ? said : exact(at)} aria-live="off">
        {isExactAlone ? exact(at) : said}
      </time>
      {isBeside && <span class="hint"> ({exact(at)})</span>}
    </>
  )
}
