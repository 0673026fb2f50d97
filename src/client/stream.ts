/** What happens on the server, as it happens: server-sent events over `fetch`, connected again where the connection ends. */
import { pause } from './clock.ts'
import { ApiError, ConnectionError } from './errors.ts'
import type { ReadStreamQuery, StreamItem } from './generated/types.ts'
import { toCamelCase } from './member-names.ts'
import type { CallOptions, Requester } from './requester.ts'

type Kind = StreamItem['kind']

/** What a program is told. That the server ends a connection is not: the next one begins then. */
export type StreamedItem = Exclude<StreamItem, { readonly kind: 'ended' }>

export interface StreamQuery extends Omit<ReadStreamQuery, 'kinds'> {
  /** Default: all. `started` and `missed` come in any case. */
  readonly kinds?: readonly Exclude<Kind, 'started' | 'ended' | 'missed'>[] | undefined
}

export type StreamOptions = Pick<CallOptions, 'signal' | 'tenant' | 'headers' | 'retry'>

const firstWaitMs = 250
const maxWaitMs = 10_000
/** The server says something every 15 seconds. */
const silenceMs = 45_000

/**
 * Goes on until the signal is aborted, whose reason it then throws, or the loop over it is left. A connection that is lost
 * is made again, with `missed` as what comes next if something may have happened meanwhile. What cannot be mended, such
 * as a token that was revoked, is thrown; so is a first connection that fails, after the retries of `options`.
 */
export async function* readStream(
  requester: Requester,
  { kinds, ...query }: StreamQuery = {},
  options: StreamOptions = {},
): AsyncGenerator<StreamedItem, void, undefined> {
  let lastId: string | null = null
  let waitMs = firstWaitMs
  for (;;) {
    const ended = new AbortController()
    const signal =
      options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal])
    try {
      const body = await requester.open({
        method: 'GET',
        path: '/v1/stream',
        query: { ...query, ...(kinds !== undefined && { kinds: kinds.join(',') }) },
        takesTenant: true,
        options: {
          ...options,
          signal,
          headers: { ...options.headers, ...(lastId !== null && { 'last-event-id': lastId }) },
          // The waits below are those of a connection that was there before.
          ...(lastId !== null && { retry: { maxRetries: 0 } }),
        },
      })
      for await (const { id, data } of readEvents(body, () => ended.abort())) {
        lastId = id ?? lastId
        const item = toCamelCase(JSON.parse(data)) as StreamItem
        if (item.kind === 'ended') break
        waitMs = firstWaitMs
        yield item
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (lastId === null || !isPassing(error)) throw error
    } finally {
      ended.abort()
    }
    options.signal?.throwIfAborted()
    await pause(waitMs * (0.5 + Math.random() / 2), options.signal)
    waitMs = Math.min(maxWaitMs, waitMs * 2)
  }
}

/** It may go by itself. What is no error of a call broke the connection. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429
  return error instanceof ConnectionError || !(error instanceof SyntaxError)
}

interface ServerSentEvent {
  readonly id: string | null
  readonly data: string
}

/** `onSilence` is to end the connection, which nothing else would do where the other side is gone without a word. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onSilence: () => void,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const timer = setTimeout(onSilence, silenceMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      text += decoder.decode(value, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = toEvent(block)
        if (event !== null) yield event
      }
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** Null: a comment, or a wait that only browsers ask for. */
function toEvent(block: string): ServerSentEvent | null {
  let id: string | null = null
  let data: string | null = null
  for (const line of block.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('data: ')) data = line.slice(6)
  }
  return data === null ? null : { id, data }
}
