/** The one place of the dashboard that reads the clock. */
export function now(): number {
  return Date.now()
}
