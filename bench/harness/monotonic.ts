/** Nanoseconds on the machine's monotonic clock, which all processes share. */
export function monotonicNanos(): bigint {
  return process.hrtime.bigint()
}
