/** Moments as fields of a form have them: `2026-01-31T09:30`, in the zone of whoever looks. Pure but for that zone. */

/** Empty where there is none or it cannot be read. */
export function toLocal(moment: string): string {
  const at = Date.parse(moment)
  if (Number.isNaN(at)) return ''
  const date = new Date(at)
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** RFC 3339, UTC; empty where the field is. */
export function fromLocal(field: string): string {
  const at = Date.parse(field)
  return Number.isNaN(at) ? '' : new Date(at).toISOString()
}
