/** Reads what was posted, JSON or multipart, with the platform's own parser. */
import type { IncomingMessage } from 'node:http'

export interface UploadedFile {
  readonly field: string
  readonly name: string
  readonly type: string
  readonly bytes: Buffer
}

export async function readRequest(message: IncomingMessage) {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const { pathname: path, searchParams: query } = new URL(message.url ?? '/', 'http://local')
  const { method = '', headers } = message
  const parsed = await parse(body, headers['content-type'] ?? '')
  return { method, path, query, headers, ...parsed }
}

interface Parsed {
  readonly payload: Readonly<Record<string, unknown>>
  readonly files: readonly UploadedFile[]
  readonly broken: boolean
}

async function parse(body: Buffer, type: string): Promise<Parsed> {
  const nothing = { payload: {}, files: [], broken: false }
  if (body.length === 0) return nothing
  try {
    if (!type.startsWith('multipart/form-data')) return { ...nothing, payload: JSON.parse(body.toString()) }
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
    const files: UploadedFile[] = []
    for (const [field, value] of form) {
      if (typeof value === 'string') continue
      files.push({ field, name: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) })
    }
    const json = form.get('payload_json')
    const text = typeof json === 'string' ? json : ((await json?.text()) ?? '{}')
    return {
      payload: JSON.parse(text),
      files: files.filter(({ field }) => field !== 'payload_json'),
      broken: false,
    }
  } catch {
    return { ...nothing, broken: true }
  }
}
