export interface SteadyRate {
  readonly perSecond: number
  readonly seconds: number
}

/**
 * Open loop: what is due is sent at each tick of about a millisecond, whatever became of what was sent before.
 * Resolves with the longest lateness in ms.
 */
export function sendSteadily({ perSecond, seconds }: SteadyRate, send: () => void): Promise<number> {
  const startedAt = performance.now()
  const total = Math.round(perSecond * seconds)
  let sent = 0
  let lateMs = 0
  return new Promise((resolve) => {
    const tick = () => {
      const elapsed = performance.now() - startedAt
      const due = Math.min(total, Math.floor((elapsed * perSecond) / 1000) + 1)
      lateMs = Math.max(lateMs, elapsed - (sent * 1000) / perSecond)
      for (; sent < due; sent++) send()
      if (sent < total) setTimeout(tick, 1)
      else resolve(lateMs)
    }
    tick()
  })
}
