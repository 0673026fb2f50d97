/** What is sent and how: the same everywhere, so that parts can be compared. */
/** Requests at once of the raw reference: where it is fastest. */
export const rawConcurrency = 64
/** Callers of `publish()` at once. */
export const publishCallers = 256
/** Sends at once of the stand-alone sender. */
export const sendLanes = 32
/** Connections of the HTTP load generator. */
export const ingestConnections = 64
/** Of the same at a steady rate: so few that none is idle for as long as a server keeps one. */
export const steadyConnections = 16

/** An order of 500 bytes; `sentAt` is read by the receiver that measures latency. */
export function makePayload(index: number, sentAt = 0n): Record<string, unknown> {
  return {
    sent_at: String(sentAt).padStart(20, '0'),
    id: `order_${String(index).padStart(10, '0')}`,
    customer: { id: 'cus_4f2a9c1be8d7', name: 'Example & Sons', country: 'DE' },
    currency: 'EUR',
    total: 184.25,
    items: [
      { sku: 'A-1009', quantity: 2, price: 42.5, title: 'Steel bracket, 40 mm' },
      { sku: 'B-2210', quantity: 1, price: 99.25, title: 'Mounting rail, 2 m' },
    ],
    shipping: { method: 'standard', street: 'Musterstrasse 1', city: 'Berlin', zip: '10115' },
    note: 'x'.repeat(65),
    paid: true,
  }
}
