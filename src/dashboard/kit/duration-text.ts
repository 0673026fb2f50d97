const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** The two largest units that it has, such as `23 h 59 min`. */
export function durationText(ms: number): string {
  let seconds = Math.ceil(ms / 1000)
  const first = units.findIndex(([, length]) => seconds >= length)
  if (first === -1) return '0 s'
  const parts: string[] = []
  for (const [name, length] of units.slice(first, first + 2)) {
    const count = Math.floor(seconds / length)
    seconds -= count * length
    if (count > 0) parts.push(`${count} ${name}`)
  }
  return parts.join(' ')
}
