/** A system with something of each kind in it, so that no page is empty. */
import { vi } from 'vitest'
import type { Bed } from './bed.ts'

/** Texts that somebody other than the operator may have chosen, by where they stand. */
export interface Texts {
  readonly topic: string
  readonly description: string
  readonly header: string
  readonly payload: string
  readonly metadata: string
  readonly orderingKey: string
  readonly answer: string
  readonly answerHeader: string
  readonly tenantName: string
  readonly keyName: string
  readonly reason: string
  readonly credentialName: string
}

export const ordinaryTexts: Texts = {
  topic: 'orders.created',
  description: 'the shop of Example Ltd',
  header: 'eu-west',
  payload: 'ord_8812',
  metadata: 'checkout',
  orderingKey: 'customer-17',
  answer: 'no such order',
  answerHeader: 'cache-7',
  tenantName: 'Example Ltd',
  keyName: 'shop backend',
  reason: 'the receiver moves to another host',
  credentialName: 'token of the shop',
}

/** Ids of what was made, for the addresses of pages about one thing. */
export interface Furniture {
  readonly tenant: string
  readonly endpoint: string
  readonly failingEndpoint: string
  readonly subscription: string
  readonly eventType: string
  readonly event: string
  /** Of the failing endpoint, in the dead letters. */
  readonly delivery: string
  readonly key: string
  readonly job: string
}

let made = 0

export async function furnish({ make, receiver }: Bed, texts: Texts = ordinaryTexts): Promise<Furniture> {
  const tenant = await make('POST', '/v1/tenants', {
    name: texts.tenantName,
    metadata: { plan: texts.metadata },
  })
  const topics = [texts.topic]
  made += 1
  const credential = await make('POST', '/v1/credentials', {
    name: `${texts.credentialName} ${made}`,
    description: texts.description,
    kind: 'bearer',
    token: 'a-token-of-theirs',
  })
  await make('POST', '/v1/admin-tokens', { role: 'viewer', label: texts.keyName })
  const endpoint = await make('POST', '/v1/endpoints', {
    url: `${receiver.url}/succeed`,
    topics,
    description: texts.description,
    headers: { 'x-region': texts.header },
    credential_id: credential.id,
  })
  const paused = await make('POST', '/v1/endpoints', { url: `${receiver.url}/succeed`, topics: ['paused'] })
  await make('POST', `/v1/endpoints/${paused.id}/pause`, { reason: texts.reason })
  const path = `/refuse/${made}`
  receiver.answers.set(path, { status: 422, body: texts.answer, headers: { 'x-answer': texts.answerHeader } })
  const failing = await make('POST', '/v1/endpoints', {
    url: receiver.url + path,
    topics,
    description: texts.description,
  })
  const subscription = await make('POST', '/v1/subscriptions', {
    endpoint_id: endpoint.id,
    topic_patterns: ['invoices.*'],
    headers: { 'x-region': texts.header },
    filter: { order: { $neq: texts.payload } },
    ordered: true,
  })
  const eventType = await make('POST', '/v1/event-types', {
    name: `${texts.topic}.${made}`,
    group: texts.tenantName,
    description: texts.description,
    schema: { type: 'object', properties: { [texts.payload]: { const: texts.payload } } },
    example: { [texts.payload]: texts.payload },
    mode: 'warn',
  })
  const event = await make('POST', '/v1/events', {
    topic: texts.topic,
    payload: { order: texts.payload, [texts.payload]: [texts.payload, null, 12.5, true] },
    metadata: { source: texts.metadata },
    ordering_key: texts.orderingKey,
  })
  // Its head fails, and blocks what has the same key.
  await make('POST', '/v1/subscriptions', {
    endpoint_id: failing.id,
    topic_patterns: [`${texts.topic}.ordered.${made}`],
    ordered: true,
  })
  await make('POST', '/v1/events', {
    topic: `${texts.topic}.ordered.${made}`,
    payload: texts.payload,
    ordering_key: texts.orderingKey,
  })
  const dead = await vi.waitFor(
    async () => {
      const { items } = await make('GET', `/v1/deliveries?event_id=${event.id}&state=dead_lettered`)
      if (items.length === 0) throw new Error('nothing is dead yet')
      return items[0]
    },
    { timeout: 60_000 },
  )
  const key = await make('POST', '/v1/keys', { name: texts.keyName, scopes: topics })
  const job = await make('POST', '/v1/dlq/replay', { topic: `nothing.of.it.${texts.topic}`, all: true })
  return {
    tenant: tenant.id,
    endpoint: endpoint.id,
    failingEndpoint: failing.id,
    subscription: subscription.id,
    eventType: eventType.name,
    event: event.id,
    delivery: dead.id,
    key: key.id,
    job: job.id,
  }
}
