/** One call to the server, with its retries. Uses nothing but `fetch`. */
import {
  ClientOptionError,
  ConnectionError,
  TimeoutError,
  toApiError,
  UnexpectedAnswerError,
} from './errors.ts'
import { type Shape, toCamelCase, toSnakeCase } from './member-names.ts'
import { type Page, PagePromise } from './pages.ts'
import { problemOf, reasonOf } from './read-problem.ts'
import { type RetryOptions, readRetryOptions, withRetries } from './retry.ts'

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`; a path prefix is kept. Default: `OUTHOOK_URL` of the environment, where there is one. */
  readonly url?: string | undefined
  /** An admin token or a producer key. Default: `OUTHOOK_TOKEN` of the environment, where there is one. */
  readonly token?: string | undefined
  /** Id or uid of the tenant that is meant, for an admin token of all tenants. Default: the tenant `default`. */
  readonly tenant?: string | undefined
  /** For each attempt, the answer's body included. Default 10 s. */
  readonly timeoutMs?: number | undefined
  readonly retry?: RetryOptions | undefined
  /** In place of the runtime's own `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** For the waits between attempts: numbers from 0 up to 1. */
  readonly random?: (() => number) | undefined
}

/** Of one call; what is absent is the client's. */
export interface CallOptions {
  /** Ends the call, wherever it is; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly retry?: RetryOptions | undefined
  readonly tenant?: string | undefined
  /** Makes the call count once, however often it comes; made anew for each call where the route takes one. */
  readonly idempotencyKey?: string | undefined
  /**
   * `version` of the object as you have it: the change is made only if nobody has changed it since, else it throws a
   * VersionConflictError. Not sent again when it is unknown whether it was carried out, for then it would meet itself.
   */
  readonly ifMatch?: string | readonly string[] | undefined
  /** Sent along. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export type QueryValue = string | number | boolean | undefined | null
export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface Call {
  readonly method: HttpMethod
  readonly path: string
  /** Undefined members are left out. */
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** What of the body and of the answer keeps its names. */
  readonly takes?: Shape
  readonly gives?: Shape
  /** Where answers of several statuses are of several forms, in place of `gives`. */
  readonly givesBy?: Readonly<Record<number, Shape>>
  /** Query, body and answer have the names of the API's JSON. */
  readonly isRaw?: boolean
  readonly takesTenant?: boolean
  readonly takesKey?: boolean
  /** That being carried out twice makes no difference, where neither method nor key says so. */
  readonly isRepeatable?: boolean
  readonly options?: CallOptions | undefined
}

export interface Requester {
  /** The answer's JSON; undefined when there is no body. */
  json<T>(call: Call): Promise<T>
  /** With its headers, where they say something too. */
  answer<T>(call: Call): Promise<{ readonly value: T; readonly headers: Headers }>
  /** The answer's bytes as they came. */
  bytes(call: Call): Promise<Uint8Array>
  pages<T, P extends Page<T>>(call: Call): PagePromise<T, P>
  /** The answer's body as it comes. The time limit is over when it begins. */
  open(call: Call): Promise<ReadableStream<Uint8Array>>
}

const defaultTimeoutMs = 10_000

export function createRequester(options: ClientOptions): Requester {
  const setting = readOptions(options)
  const answer = async <T>(call: Call) => {
    const { status, bytes, headers } = await send(toWireCall(call), setting, attempt)
    const text = new TextDecoder().decode(bytes)
    const value = text === '' ? undefined : parse(text, setting.base)
    const shape = call.givesBy?.[status] ?? call.gives
    return { value: (call.isRaw === true ? value : toCamelCase(value, shape)) as T, headers }
  }
  const json = async <T>(call: Call): Promise<T> => (await answer<T>(call)).value
  return {
    bytes: async (call) => (await send(toWireCall(call), setting, attempt)).bytes,
    json,
    answer,
    open: (call) => send(toWireCall(call), setting, attemptToOpen),
    pages: <T, P extends Page<T>>(call: Call) =>
      new PagePromise<T, P>((cursor) =>
        json<P>(cursor === null ? call : { ...call, query: { ...call.query, cursor } }),
      ),
  }
}

/** With the names of the API's JSON. Text of a body goes as it is. */
function toWireCall(call: Call): Call {
  if (call.isRaw === true) return call
  return {
    ...call,
    ...(call.query !== undefined && { query: toSnakeCase(call.query) as NonNullable<Call['query']> }),
    ...(call.body !== undefined && { body: toSnakeCase(call.body, call.takes) }),
  }
}

function parse(text: string, base: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UnexpectedAnswerError(base, error)
  }
}

interface Answer {
  readonly status: number
  readonly bytes: Uint8Array
  readonly headers: Headers
}

type Setting = ReturnType<typeof readOptions>

function readOptions(options: ClientOptions) {
  const url = options.url ?? environment('OUTHOOK_URL') ?? ''
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ClientOptionError(
      url === ''
        ? 'no address; give url, such as http://127.0.0.1:8080, or set OUTHOOK_URL'
        : `"${url}" is no address; use one such as http://127.0.0.1:8080`,
    )
  }
  const { timeoutMs = defaultTimeoutMs } = options
  checkTimeout(timeoutMs)
  return {
    base: url.replace(/\/+$/, ''),
    token: options.token ?? environment('OUTHOOK_TOKEN'),
    tenant: options.tenant,
    timeoutMs,
    retry: readRetryOptions(options.retry ?? {}),
    // Looked up for each call, so that what replaces it later, such as a test, is used.
    fetch: options.fetch ?? ((input: string, init: RequestInit) => fetch(input, init)),
    random: options.random ?? Math.random,
  }
}

function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31)) throw new ClientOptionError(`timeoutMs cannot be ${timeoutMs}`)
}

/** Browsers and some edge runtimes have no environment. */
function environment(name: string): string | undefined {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Record<string, string | undefined> }
  }
  return process?.env?.[name]
}

type Attempt<Result> = (request: PreparedRequest, fetchIt: Setting['fetch']) => Promise<Result>

async function send<Result>(call: Call, setting: Setting, attempt: Attempt<Result>): Promise<Result> {
  const { method, options = {} } = call
  const body = bodyOf(call.body)
  const headers = headersOf(call, body, setting)
  const isRepeatable =
    call.isRepeatable ??
    (!('if-match' in headers) &&
      (method !== 'POST' || 'idempotency-key' in headers || hasKeyMember(call.body)))
  const timeoutMs = options.timeoutMs ?? setting.timeoutMs
  checkTimeout(timeoutMs)
  const request: PreparedRequest = {
    base: setting.base,
    url: `${setting.base}${call.path}${queryOf(call, setting)}`,
    init: { method, headers, redirect: 'manual', ...(body !== undefined && { body }) },
    timeoutMs,
    signal: options.signal,
  }
  return withRetries(() => attempt(request, setting.fetch), {
    policy: readRetryOptions(options.retry ?? {}, setting.retry),
    isRepeatable,
    signal: options.signal,
    random: setting.random,
  })
}

/** Once for all attempts, so that each sends the same bytes. */
function bodyOf(body: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined) return undefined
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
}

function headersOf(call: Call, body: Uint8Array | undefined, setting: Setting): Record<string, string> {
  const { options = {} } = call
  const headers: Record<string, string> = { accept: 'application/json' }
  if (setting.token !== undefined && setting.token !== '') headers.authorization = `Bearer ${setting.token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const key = options.idempotencyKey ?? (call.takesKey === true ? crypto.randomUUID() : undefined)
  if (key !== undefined && !hasKeyMember(call.body)) headers['idempotency-key'] = key
  if (options.ifMatch !== undefined) headers['if-match'] = tagsOf(options.ifMatch)
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value
  return headers
}

/** Versions are quoted; an `ETag` as it came has its quotes already. */
function tagsOf(ifMatch: string | readonly string[]): string {
  const broken = [ifMatch].flat().find((version) => !/^[!-~]+$/.test(version))
  if (broken !== undefined) {
    throw new ClientOptionError(`ifMatch cannot be ${JSON.stringify(broken)}; give the version of the object`)
  }
  return [ifMatch]
    .flat()
    .map((version) => (version === '*' || version.includes('"') ? version : `"${version}"`))
    .join(', ')
}

function hasKeyMember(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  return typeof (body as { readonly idempotency_key?: unknown }).idempotency_key === 'string'
}

function queryOf(call: Call, setting: Setting): string {
  const tenant = call.takesTenant === true ? (call.options?.tenant ?? setting.tenant) : undefined
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...call.query, tenant })) {
    if (value !== undefined && value !== null) given.set(name, String(value))
  }
  const text = given.toString()
  return text === '' ? '' : `?${text}`
}

interface PreparedRequest {
  readonly base: string
  readonly url: string
  readonly init: RequestInit
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

async function attempt(request: PreparedRequest, fetchIt: Setting['fetch']): Promise<Answer> {
  const { response, value: bytes } = await ask(request, fetchIt, bytesOf)
  if (!response.ok) throw toApiError(problemOf(response, bytes))
  return { status: response.status, bytes, headers: response.headers }
}

/** The connection is left open, for whoever reads the body; the signal still ends it. */
async function attemptToOpen(
  request: PreparedRequest,
  fetchIt: Setting['fetch'],
): Promise<ReadableStream<Uint8Array>> {
  const { response, value: bytes } = await ask(request, fetchIt, (one) => (one.ok ? null : bytesOf(one)))
  if (bytes !== null) throw toApiError(problemOf(response, bytes))
  if (response.body === null) throw new ConnectionError(request.base, 'the answer has no body')
  return response.body
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

/** The time limit is for the answer's head and for what is read of it here. */
async function ask<T>(
  { base, url, init, timeoutMs, signal }: PreparedRequest,
  fetchIt: Setting['fetch'],
  read: (response: Response) => T | Promise<T>,
): Promise<{ readonly response: Response; readonly value: Awaited<T> }> {
  signal?.throwIfAborted()
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
  try {
    const response = await fetchIt(url, { ...init, signal: either })
    return { response, value: await read(response) }
  } catch (error) {
    signal?.throwIfAborted()
    if (late.signal.aborted) throw new TimeoutError(base, timeoutMs)
    throw new ConnectionError(base, reasonOf(error), error)
  } finally {
    clearTimeout(timer)
  }
}
