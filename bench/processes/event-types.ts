/** Schemas of event types by themselves, asked as a publish asks them. */
import { orderOf10Kb } from '../../test/core/filter/hostile-cases.ts'
import { loadPayloadRules } from '../harness/product.ts'
import { type Blocks, quickestBlock } from '../harness/quickest-block.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const { PayloadRules } = await loadPayloadRules()

const text = { type: 'string', minLength: 1 }
const money = {
  type: 'object',
  required: ['amount', 'currency'],
  properties: { amount: { type: 'integer', minimum: 0 }, currency: { enum: ['EUR', 'USD'] } },
}
const item = {
  type: 'object',
  required: ['sku', 'qty', 'price'],
  properties: {
    sku: { type: 'string', pattern: '^sku-[0-9]+$' },
    title: text,
    qty: { type: 'integer', minimum: 0 },
    price: { $ref: '#/$defs/money' },
    tags: { type: 'array', items: text, uniqueItems: true },
    note: text,
  },
  additionalProperties: false,
}
const schema = JSON.stringify({
  $defs: { money, item },
  type: 'object',
  required: ['id', 'type', 'items'],
  properties: {
    id: { type: 'string', pattern: '^o_' },
    type: { const: 'order' },
    items: { type: 'array', minItems: 1, items: { $ref: '#/$defs/item' } },
  },
})

const whole = JSON.parse(orderOf10Kb) as { readonly items: readonly unknown[] }
const payloads = new Map([
  [
    'an order of one item, 200 bytes',
    Buffer.from(JSON.stringify({ ...whole, items: whole.items.slice(0, 1) })),
  ],
  ['an order of 66 items, 10 kB', Buffer.from(orderOf10Kb)],
])

const nobody = { version: '1', types: [] }
const rules = new PayloadRules({
  store: { loadServerEventTypes: async () => nobody, serverEventTypesVersion: async () => '1' },
  isShared: false,
  clock: { elapsed: () => 0, schedule: () => () => {} },
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  onViolation: () => {},
})
const topic = 'orders.created'
const types = [{ name: topic, mode: 'enforce', schema }] as const
await rules.start()
await rules.prepared(Promise.resolve({ eventTypes: types } as never))
const own = { eventTypes: new Map(types.map((type) => [type.name, type])) }

type Case = Blocks & { readonly name: string }

const payloadOf = (name: string) => payloads.get(name) ?? unknown(name)

const commands = {
  async names(): Promise<readonly string[]> {
    return [...payloads.keys()]
  },
  async judgeUntyped(blocks: Blocks): Promise<number> {
    const event = { tenantId: 'ten', topic: 'another', payload: Buffer.from(orderOf10Kb) }
    return quickestBlock(() => rules.judge(event, own), blocks)
  },
  async judge({ name, ...blocks }: Case): Promise<number> {
    const event = { tenantId: 'ten', topic, payload: payloadOf(name) }
    const verdict = rules.judge(event, own)
    if (verdict !== null) throw new Error(verdict.warning.message)
    return quickestBlock(() => rules.judge(event, own), blocks)
  },
  async read({ name, ...blocks }: Case): Promise<number> {
    const payload = payloadOf(name)
    return quickestBlock(() => JSON.parse(payload.toString()), blocks)
  },
}

function unknown(name: string): never {
  throw new Error(`there is no payload ${name}`)
}

export type EventTypesCommands = typeof commands

serveCommands(commands)
