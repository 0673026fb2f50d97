/** One request to the server and its answer. Uses nothing but `fetch`. */
import { ApiError, ConnectionError } from './errors.ts'

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`; a path prefix is kept. */
  readonly url: string
  /** An admin token or a producer key. */
  readonly token?: string | undefined
  /** Id or uid of the tenant that is meant, for an admin token of all tenants. Default: the tenant `default`. */
  readonly tenant?: string | undefined
  /** For each request, answer included. Default 30 s. */
  readonly timeoutMs?: number
}

export type QueryValue = string | number | boolean | undefined

export interface RequestOptions {
  /** Undefined members are left out. */
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown
}

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface Requester {
  /** The answer's JSON; undefined when there is no body. Errors: ApiError, ConnectionError. */
  json<T>(method: HttpMethod, path: string, options?: RequestOptions): Promise<T>
  /** The answer's bytes as they came. */
  bytes(method: HttpMethod, path: string, options?: RequestOptions): Promise<Uint8Array>
}

const defaultTimeoutMs = 30_000

export function createRequester(options: ClientOptions): Requester {
  const base = options.url.replace(/\/+$/, '')

  async function send(method: HttpMethod, path: string, request: RequestOptions): Promise<Uint8Array> {
    // Tenants themselves are of none.
    const tenant = path.startsWith('/v1/tenants') ? undefined : options.tenant
    const url = `${base}${path}${queryText({ ...request.query, tenant })}`
    const headers: Record<string, string> = { accept: 'application/json' }
    if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`
    const init: RequestInit = {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs),
    }
    if (request.body !== undefined) {
      headers['content-type'] = 'application/json'
      init.body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body)
    }
    let response: Response
    let bytes: Uint8Array
    try {
      response = await fetch(url, init)
      bytes = new Uint8Array(await response.arrayBuffer())
    } catch (error) {
      throw new ConnectionError(base, reasonOf(error), error)
    }
    if (!response.ok) throw toApiError(response, bytes)
    return bytes
  }

  return {
    bytes: (method, path, request = {}) => send(method, path, request),
    async json<T>(method: HttpMethod, path: string, request: RequestOptions = {}) {
      const text = new TextDecoder().decode(await send(method, path, request))
      if (text === '') return undefined as T
      try {
        return JSON.parse(text) as T
      } catch (error) {
        throw new ConnectionError(base, 'the answer is not JSON; is this the address of Outhook?', error)
      }
    },
  }
}

function queryText(query: Readonly<Record<string, QueryValue>>): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value))
  }
  return given.size === 0 ? '' : `?${given}`
}

function toApiError(response: Response, bytes: Uint8Array): ApiError {
  const retryAfter = response.headers.get('retry-after') ?? ''
  const { code, title, detail } = readProblem(new TextDecoder().decode(bytes))
  return new ApiError({
    status: response.status,
    code: code ?? null,
    title: title ?? `HTTP ${response.status}`,
    detail: detail ?? (response.statusText || 'the server gave no reason'),
    retryAfterSeconds: /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
  })
}

function readProblem(text: string): Partial<Record<'code' | 'title' | 'detail', string>> {
  try {
    const { code, title, detail } = JSON.parse(text) as Record<string, unknown>
    return {
      ...(typeof code === 'string' && { code }),
      ...(typeof title === 'string' && { title }),
      ...(typeof detail === 'string' && { detail }),
    }
  } catch {
    return {}
  }
}

/** `fetch` says only "fetch failed"; what happened stands in the cause. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: unknown }
  if (name === 'TimeoutError') return 'it took too long'
  const { code, message } = (cause ?? error) as { readonly code?: string; readonly message?: string }
  if (code === 'ECONNREFUSED') return 'connection refused; is the server running?'
  return message || code || 'the request failed'
}
