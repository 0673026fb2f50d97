/** What Stripe sends: hexadecimal HMAC over time and body; the key is the secret's whole text. */
import { joinBytes, toBytes } from '../bytes.ts'
import { requireHeader } from '../headers.ts'
import type { Scheme } from './scheme.ts'
import { readTimedList } from './timed-list.ts'

const signatureHeader = 'stripe-signature'

export const stripeScheme: Scheme = {
  secretForm: 'text',
  signatureHeader,
  read(headers) {
    const list = readTimedList(requireHeader(headers, signatureHeader), signatureHeader)
    return {
      id: null,
      timestampSeconds: list.timestampSeconds,
      signatures: list.signatures,
      messages: (body) => [joinBytes(toBytes(`${list.timestamp}.`), body)],
    }
  },
}
