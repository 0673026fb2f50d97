/** Wall time and CPU time of this process, all its threads, between two points. */
export interface Spent {
  readonly wallMs: number
  /** User and system. */
  readonly cpuMicros: number
}

export function startMeter(): () => Spent {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { wallMs: performance.now() - startedAt, cpuMicros: user + system }
  }
}
