/**
 * One attempt at an endpoint of several URLs: it goes to the one whose turn it is and, where the endpoint fails over, on to
 * the next while none has answered, each at most once and all of them within the attempt's one timeout.
 *
 * What is an answer is an answer, whatever its status. Where none came, the next URL is asked if nothing arrived (no
 * address, no connection, no TLS, an address that policy refuses) and if the connection broke. A receiver that has the
 * request and is silent may be working on it: that ends the attempt, and the retry goes to another URL.
 */
import { withUrl } from '../../core/captured-url.ts'
import type { Clock } from '../../core/clock.ts'
import type { AttemptRequest, AttemptResult, HttpAddress, Sender } from '../../sender/port.ts'
import type { PooledUrl, UrlPool } from './url-pool.ts'

export interface PooledAddress extends PooledUrl {
  readonly url: URL
}

export interface PoolRules {
  readonly addresses: readonly PooledAddress[]
  readonly failOver: boolean
}

interface PoolDeps {
  readonly sender: Pick<Sender, 'attempt' | 'totalTimeoutMs'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly pool: UrlPool
}

type Failure = Extract<AttemptResult, { kind: 'failure' }>

/** With less time left no other URL is asked: it would be said of a receiver that it is slow. */
const leastMs = 1000

export async function sendToPool(
  request: AttemptRequest,
  { addresses, failOver }: PoolRules,
  { sender, clock, pool }: PoolDeps,
): Promise<AttemptResult> {
  const startedAt = clock.elapsed()
  const order = pool.inOrder(addresses, startedAt)
  const failures: Failure[] = []
  for (const address of failOver ? order : order.slice(0, 1)) {
    const next = failures.length === 0 ? request : withTimeLeft(request, startedAt, { sender, clock })
    if (next === null) break
    const destination: HttpAddress = { ...request.destination, url: address.url }
    const result = await sender.attempt({ ...next, destination })
    if (result.kind === 'response') {
      pool.reached(address)
      const latencyMs = Math.round(clock.elapsed() - startedAt)
      return { ...result, response: withUrl(result.response, address.url.origin), latencyMs }
    }
    failures.push(result)
    // What we could not do says nothing of the receiver.
    if (result.errorClass === 'internal') break
    pool.notReached(address, clock.elapsed())
    if (result.errorClass === 'timeout' && result.mayHaveArrived === true) break
  }
  return joined(failures, Math.round(clock.elapsed() - startedAt))
}

/** In whole seconds, because the sender keeps a queue for each length. Null: there is too little left. */
function withTimeLeft(
  request: AttemptRequest,
  startedAt: number,
  { sender, clock }: Pick<PoolDeps, 'sender' | 'clock'>,
): AttemptRequest | null {
  const leftMs = (request.timeoutMs ?? sender.totalTimeoutMs) - (clock.elapsed() - startedAt)
  const timeoutMs = Math.floor(leftMs / leastMs) * leastMs
  return timeoutMs < leastMs ? null : { ...request, timeoutMs }
}

const maxErrorChars = 2000

/** Of the last one that was tried, unless policy refused that and not all: then there is something to try again. */
function joined(failures: readonly Failure[], latencyMs: number): Failure {
  const told = failures.findLast(({ errorClass }) => errorClass !== 'policy') ?? (failures.at(-1) as Failure)
  const error = failures
    .map((failure) => failure.error)
    .join('; ')
    .slice(0, maxErrorChars)
  return { ...told, error, latencyMs }
}
