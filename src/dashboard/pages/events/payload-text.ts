/** Payloads as text, in three ways; and what of them is a request. Pure. */

/** Of the bytes that are shown one by one; the rest can be downloaded. */
export const maxShownBytes = 4096

/** Null: it is no UTF-8. */
export function decodePayload(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Sixteen on each line: where they stand, what they are, and what of them is printable ASCII. */
export function dumpBytes(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(bytes.length, maxShownBytes); at += 16) {
    const row = [...bytes.subarray(at, at + 16)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  return lines.join('\n')
}

interface Published {
  readonly topic: string
  readonly metadata: Readonly<Record<string, string>>
  readonly orderingKey: string | null
}

/** The body that would publish it again, with the payload byte for byte as it was. */
export function publishBody({ topic, metadata, orderingKey }: Published, payload: string): string {
  const members = [
    `"topic":${JSON.stringify(topic)}`,
    `"payload":${payload}`,
    ...(Object.keys(metadata).length === 0 ? [] : [`"metadata":${JSON.stringify(metadata)}`]),
    ...(orderingKey === null ? [] : [`"ordering_key":${JSON.stringify(orderingKey)}`]),
  ]
  return `{${members.join(',')}}`
}
