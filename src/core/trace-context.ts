/**
 * The W3C trace context of an event: which trace its publisher was in. It comes with the request, is kept with the event
 * and goes to the receivers, so that they can go on with the same trace.
 */

export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>`, lower-case hex. */
  readonly traceparent: string
  /** What tracing systems add for themselves; at most 512 characters. */
  readonly tracestate?: string
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const maxTracestateChars = 512
/** Printable ASCII, as a header may hold it. */
const tracestateForm = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Null where there is none. As the recommendation wants it, one that is malformed counts as none and is no error, a
 * newer version is read as far as it is known, and a `tracestate` that cannot be passed on is left out.
 */
export function readTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | null {
  if (typeof traceparent !== 'string') return null
  const [, version, traceId = '', spanId = '', flags = '', rest] = form.exec(traceparent.trim()) ?? []
  if (version === undefined || version === 'ff') return null
  if (version === '00' && rest !== undefined) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  const parent = `00-${traceId}-${spanId}-${flags}`
  const state = typeof tracestate === 'string' ? tracestate.trim() : ''
  const passes = state.length <= maxTracestateChars && tracestateForm.test(state)
  return passes ? { traceparent: parent, tracestate: state } : { traceparent: parent }
}

/** The 32 digits that all spans of a trace have in common. */
export function traceIdOf({ traceparent }: TraceContext): string {
  return traceparent.slice(3, 35)
}
