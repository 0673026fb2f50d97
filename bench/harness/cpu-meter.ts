/** Wall time and CPU time between two points. */
export interface Spent {
  readonly wallMs: number
  /** User and system, of all threads of the process. */
  readonly cpuMicros: number
  /** Of that, the thread that asks; the rest is the store's threads, the garbage collector and the compiler. */
  readonly threadMicros: number
}

/** Absent before Node 23.9. */
const threadCpuUsage: typeof process.threadCpuUsage | undefined = process.threadCpuUsage

export function startMeter(): () => Spent {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  const thread = threadCpuUsage?.()
  return () => {
    const all = process.cpuUsage(cpu)
    const own = threadCpuUsage?.(thread)
    return {
      wallMs: performance.now() - startedAt,
      cpuMicros: all.user + all.system,
      threadMicros: own === undefined ? Number.NaN : own.user + own.system,
    }
  }
}
