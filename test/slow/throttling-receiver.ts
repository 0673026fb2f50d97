/** A receiver that takes a few requests in each second, refuses the others, and counts. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ThrottlingSetup {
  /** It takes so many in each second that begins with the first of them. */
  readonly perSecond: number
  readonly status?: 429 | 503
  /** What it asks for: seconds, or the date that is so far ahead. */
  readonly retryAfter: { readonly seconds: number } | { readonly dateInSeconds: number }
}

export interface ThrottlingCounts {
  /** Deliveries, each once. */
  taken: number
  refused: number
  /** Requests within the time that it had asked for. */
  tooSoon: number
  /** From the first request to the last one that was taken, without the time in which this process stood still. */
  tookMs: number
}

const tickMs = 100

export async function aThrottlingReceiver({ perSecond, status = 429, retryAfter }: ThrottlingSetup) {
  const counts: ThrottlingCounts = { taken: 0, refused: 0, tooSoon: 0, tookMs: 0 }
  const taken = new Set<unknown>()
  let ranMs = 0
  let tickedAt = performance.now()
  const tick = () => {
    const now = performance.now()
    ranMs += Math.min(now - tickedAt, 2 * tickMs)
    tickedAt = now
  }
  const ticking = setInterval(tick, tickMs)
  let firstAt: number | null = null
  let windowAt = Number.NEGATIVE_INFINITY
  let inWindow = 0
  let askedUntil = Number.NEGATIVE_INFINITY
  const server = createServer((request, response) => {
    request.resume()
    const now = performance.now()
    tick()
    firstAt ??= ranMs
    if (now - windowAt >= 1000) {
      windowAt = now
      inWindow = 0
    }
    // Dates are whole seconds, and clocks are read a moment apart.
    if (now < askedUntil - 50) counts.tooSoon++
    if (++inWindow <= perSecond) {
      taken.add(request.headers['outhook-delivery-id'])
      counts.taken = taken.size
      counts.tookMs = Math.round(ranMs - firstAt)
      response.end()
      return
    }
    counts.refused++
    const asked = askFor(retryAfter)
    askedUntil = Math.max(askedUntil, now + asked.ms)
    response.writeHead(status, { 'retry-after': asked.header }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    clearInterval(ticking)
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, counts }
}

function askFor(retryAfter: ThrottlingSetup['retryAfter']): { readonly header: string; readonly ms: number } {
  if ('seconds' in retryAfter) return { header: `${retryAfter.seconds}`, ms: retryAfter.seconds * 1000 }
  const now = Date.now()
  const until = new Date(now + retryAfter.dateInSeconds * 1000)
  until.setMilliseconds(0)
  return { header: until.toUTCString(), ms: until.getTime() - now }
}
