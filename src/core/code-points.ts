/** Lengths as people and most receivers count them: an emoji of two UTF-16 units is one. */
const surrogatePair = /[\ud800-\udbff][\udc00-\udfff]/g

export function countCodePoints(text: string): number {
  return text.length - (text.match(surrogatePair)?.length ?? 0)
}

/** At most `max` code points, the last one an ellipsis where something was cut off. */
export function cutCodePoints(text: string, max: number): string {
  if (text.length <= max || countCodePoints(text) <= max) return text
  if (max <= 1) return '…'.slice(0, max)
  let end = 0
  for (let kept = 1; kept < max; kept++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return `${text.slice(0, end)}…`
}
