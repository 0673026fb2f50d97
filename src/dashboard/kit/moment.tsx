/** A time: how long ago or ahead it is, which goes on by itself, and the exact one. */
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { now } from '../clock.ts'
import { Ticker } from './ticker.ts'

/**
 * Whether the exact time stands beside the relative one, where there are few: keyboards and fingers do not get at what is
 * said to a mouse alone, and in a list each time would be one more stop on the way through it.
 */
export const ExactTimes = createContext(false)

const ticker = new Ticker(document)

interface MomentProps {
  readonly at: string
  readonly relative: (at: string, nowMs: number) => string
  readonly exact: (at: string) => string
}

export function Moment({ at, relative, exact }: MomentProps) {
  const isExact = useContext(ExactTimes)
  const said = relative(at, now())
  const [, setSaid] = useState(said)
  useEffect(() => ticker.add(Date.parse(at), () => setSaid(relative(at, now()))), [at])
  return (
    <>
      {/* Inside of a live region the ticks would be read out. */}
      <time dateTime={at} title={isExact ? undefined : exact(at)} aria-live="off">
        {said}
      </time>
      {isExact && <span class="hint"> ({exact(at)})</span>}
    </>
  )
}
