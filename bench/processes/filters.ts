/** Filters by themselves: the usual ones, and those that are made to take long. */
import type { Json } from '../../src/core/filter/condition.ts'
import { hostileCases, orderOf10Kb } from '../../test/core/filter/hostile-cases.ts'
import { loadFilterParser, loadFilterReader } from '../harness/product.ts'
import { type Blocks, quickestBlock } from '../harness/quickest-block.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const { parseFilter } = await loadFilterParser()
const { judgePayload, readPayload } = await loadFilterReader()

type Case = readonly [filter: object, json: string]

const usual: ReadonlyMap<string, Case> = new Map([
  ['one member', [{ type: 'order' }, orderOf10Kb]],
  [
    'three conditions',
    [{ type: 'order', id: { $startsWith: 'o_' }, items: { qty: { $gte: 60 } } }, orderOf10Kb],
  ],
  [
    'one of ten values in each of 66 items',
    [{ items: { sku: { $in: Array.from({ length: 10 }, (_, at) => `x${at}`) } } }, orderOf10Kb],
  ],
])
const hostile: ReadonlyMap<string, Case> = new Map(
  hostileCases.map(([name, filter, json]) => [name, [filter, json]]),
)

const commands = {
  async names(): Promise<{ readonly usual: readonly string[]; readonly hostile: readonly string[] }> {
    return { usual: [...usual.keys()], hostile: [...hostile.keys()] }
  },
  async read(blocks: Blocks): Promise<number> {
    const payload = Buffer.from(orderOf10Kb)
    return quickestBlock(() => readPayload(payload), blocks)
  },
  async evaluate({ name, ...blocks }: Blocks & { readonly name: string }): Promise<number> {
    const [given, json] = usual.get(name) ?? hostile.get(name) ?? unknown(name)
    const filter = parseFilter(given) ?? unknown(name)
    const payload = { value: JSON.parse(json) as Json, bytes: Buffer.byteLength(json) }
    return quickestBlock(() => judgePayload(filter, payload), blocks)
  },
}

function unknown(name: string): never {
  throw new Error(`there is no filter ${name}`)
}

export type FiltersCommands = typeof commands

serveCommands(commands)
