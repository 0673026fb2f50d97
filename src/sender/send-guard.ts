/**
 * Where `outhook/testing` steps between every request of this process and the network. It hangs on
 * `globalThis`, so that it also holds for a second installed copy of the package.
 */
import type { AttemptRequest, AttemptResult } from './port.ts'

export interface SendInterceptor {
  /** Instead of `pass()`, which makes the request and which it may call itself. Never rejects. */
  attempt(request: AttemptRequest, pass: () => Promise<AttemptResult>): Promise<AttemptResult>
}

const interceptorKey = Symbol.for('outhook.send-interceptor')
const shared = globalThis as { [interceptorKey]?: SendInterceptor | null }

/** Null takes it away again. */
export function interceptSends(interceptor: SendInterceptor | null): void {
  shared[interceptorKey] = interceptor
}

export function currentInterceptor(): SendInterceptor | null {
  return shared[interceptorKey] ?? null
}
