/** A stretch of time that runs out, as a bar and in words. */
import { useEffect, useState } from 'preact/hooks'
import { now } from '../clock.ts'
import { Time } from '../times.tsx'
import { durationText } from './duration-text.ts'
import { ExactTimes } from './moment.tsx'

interface CountdownProps {
  readonly label: string
  readonly from: string
  readonly until: string
}

export function Countdown({ label, from, until }: CountdownProps) {
  const [at, setAt] = useState(now())
  useEffect(() => {
    const timer = setInterval(() => setAt(now()), 1000)
    return () => clearInterval(timer)
  }, [])
  const whole = Math.max(1, Date.parse(until) - Date.parse(from))
  const left = Math.max(0, Date.parse(until) - at)
  return (
    <div class="countdown">
      <progress aria-label={label} max={whole} value={whole - left} />
      <span>
        {left === 0 ? 'over' : `${durationText(left)} left`}, until{' '}
        <ExactTimes.Provider value={true}>
          <Time at={until} />
        </ExactTimes.Provider>
      </span>
    </div>
  )
}
