/**
 * Text in HTTP headers. Node hands header values over as one character per byte; what callers mean by them is
 * UTF-8. A topic or metadata value with other than ASCII characters goes out as its UTF-8 bytes and comes back
 * the same way.
 */
import { isUtf8 } from 'node:buffer'

/** Text as a header value that an HTTP client writes as the text's UTF-8 bytes. */
export function toHeaderValue(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** A received header value as text; null when its bytes are not UTF-8, and nobody knows which text was meant. */
export function fromHeaderValue(value: string): string | null {
  if (isAscii(value)) return value
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}
