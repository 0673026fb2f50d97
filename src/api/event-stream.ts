/**
 * An answer of server-sent events, which goes on until somebody ends it. Nobody waits for who reads it: what the system
 * does not take is kept within a bound, and who is further behind is cut off.
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../core/clock.ts'

/** Of one reader, beside what the system's own buffers hold. */
export const maxUnreadStreamBytes = 256 * 1024
/** More often than proxies and `idleMs` of the server end a connection on which nothing happens. */
const heartbeatMs = 15_000
/** What a browser waits before it connects again. */
const retryMs = 1000

const opened = new WeakMap<IncomingMessage, number>()

/** When the answer began to go out, of a request whose answer goes on; undefined: it is no such. */
export function openedAfterMs(request: IncomingMessage): number | undefined {
  return opened.get(request)
}

export interface EventStream {
  /** Whole events, as they go out. */
  write(text: string): void
  /** The last words. */
  end(text?: string): void
}

export interface EventStreamOptions {
  readonly clock: Clock
  /** It ended, whoever did that. Called once. */
  readonly onEnd: () => void
}

/** Takes the answer over from fastify and sends its head. */
export function openEventStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { clock, onEnd }: EventStreamOptions,
): EventStream {
  const response = reply.raw
  opened.set(request.raw, reply.elapsedTime)
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value)
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would gather it.
    'x-accel-buffering': 'no',
  })
  let cancelHeartbeat = (): void => undefined
  let isOpen = true
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    cancelHeartbeat()
    onEnd()
  }
  const write = (text: string): void => {
    if (!isOpen) return
    response.write(text)
    if (response.writableLength <= maxUnreadStreamBytes) return
    close()
    response.destroy()
  }
  const beat = (): void => {
    cancelHeartbeat = clock.schedule(heartbeatMs, () => {
      write(':\n\n')
      if (isOpen) beat()
    })
  }
  response.once('close', close)
  response.on('error', close)
  write(`retry: ${retryMs}\n\n`)
  beat()
  return {
    write,
    end(text = '') {
      if (!isOpen) return
      close()
      response.end(text)
    },
  }
}
