/** `multipart/form-data` with the message as `payload_json` and each file as `files[n]`. */
import { randomUUID } from 'node:crypto'
import type { PreparedMessage } from './prepare-message.ts'

export interface MultipartBody {
  readonly contentType: string
  readonly body: Uint8Array
}

export function encodeMultipart({ payload, files }: PreparedMessage): MultipartBody {
  const boundary = `outhook-${randomUUID()}`
  const parts: (Uint8Array | string)[] = [
    partHead(boundary, { name: 'payload_json', contentType: 'application/json' }),
    JSON.stringify(payload),
  ]
  for (const [index, { name, data, contentType = 'application/octet-stream' }] of files.entries()) {
    parts.push('\r\n', partHead(boundary, { name: `files[${index}]`, filename: name, contentType }), data)
  }
  parts.push(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part))),
  }
}

interface PartHead {
  readonly name: string
  readonly filename?: string
  readonly contentType: string
}

function partHead(boundary: string, { name, filename, contentType }: PartHead): string {
  const file = filename === undefined ? '' : `; filename="${escapeName(filename)}"`
  const type = contentType.replace(/[\r\n]/g, '')
  return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\ncontent-type: ${type}\r\n\r\n`
}

/** As browsers do, so that a name cannot end the header. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
