const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** How long ago or ahead, in the language of the format. Pure. */
export function relativeText(at: string, nowMs: number, format: Intl.RelativeTimeFormat): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1000)
  const [unit, length] = units.find((one) => Math.abs(seconds) >= one[1]) ?? (['second', 1] as const)
  return format.format(Math.trunc(seconds / length), unit)
}
