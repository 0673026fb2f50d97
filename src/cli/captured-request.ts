/** A request that somebody kept: as HTTP has it on the wire, as JSON, or as a list of headers beside a body. */
import { UsageError } from './exit-codes.ts'

export interface CapturedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Head, empty line, body; or `{"headers": {…}, "body": "…"}`, with `body_base64` where the body is no text. */
export function parseCapturedRequest(bytes: Uint8Array, file: string): CapturedRequest {
  const text = Buffer.from(bytes).toString('latin1')
  if (text.trimStart().startsWith('{')) return parseJsonRequest(Buffer.from(bytes).toString('utf8'), file)
  const end = /\r?\n\r?\n/.exec(text)
  if (end === null) {
    throw new UsageError(
      `${file} holds no empty line behind the headers; give the body with --body, or all of the request`,
    )
  }
  const headers = parseHeaderLines(text.slice(0, end.index), file)
  return { headers, body: bytes.subarray(end.index + end[0].length) }
}

/** `name: value` on each line; the request's first line and what curl and browsers put before names may be there. */
export function parseHeaderLines(text: string, file: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || /^(?:[<>] )?[A-Z]+ \S+ HTTP\/[\d.]+$/.test(line)) continue
    const [, name, value] = /^(?:[<>] )?([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined || value === undefined) {
      throw new UsageError(`"${line.slice(0, 40)}" in ${file} is no header; each line is "name: value"`)
    }
    headers[name.toLowerCase()] = value
  }
  return headers
}

function parseJsonRequest(text: string, file: string): CapturedRequest {
  const { headers, body, body_base64: encoded } = parseObject(text, file)
  if (typeof headers !== 'object' || headers === null) throw notARequest(file)
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const)
  if (typeof encoded === 'string') {
    return { headers: Object.fromEntries(given), body: Buffer.from(encoded, 'base64') }
  }
  if (typeof body !== 'string') {
    throw new UsageError(`${file} has no "body" that is text; a parsed body is not what was signed`)
  }
  return { headers: Object.fromEntries(given), body: Buffer.from(body) }
}

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The error below says what is needed.
  }
  throw notARequest(file)
}

function notARequest(file: string): UsageError {
  return new UsageError(
    `${file} is neither a request as HTTP has it nor JSON such as {"headers": {…}, "body": "…"}`,
  )
}
