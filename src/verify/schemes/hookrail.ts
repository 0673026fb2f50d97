/** The scheme `hookrail`: hexadecimal HMAC over time, delivery id and body; the key is the secret's whole text. */
import { joinBytes, toBytes } from '../bytes.ts'
import { requireHeader, requireId } from '../headers.ts'
import type { Scheme } from './scheme.ts'
import { readTimedList } from './timed-list.ts'

const signatureHeader = 'hookrail-signature'

export const hookrailScheme: Scheme = {
  secretForm: 'text',
  signatureHeader,
  read(headers) {
    const list = readTimedList(requireHeader(headers, signatureHeader), signatureHeader)
    const id = requireId(headers, 'hookrail-delivery-id')
    return {
      id,
      timestampSeconds: list.timestampSeconds,
      signatures: list.signatures,
      messages: (body) => [joinBytes(toBytes(`${list.timestamp}.${id}.`), body)],
    }
  },
}
