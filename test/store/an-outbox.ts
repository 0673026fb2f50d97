/** A store on a real PostgreSQL and the server's own clock, and callers with transactions beside it. */
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { FanOutResult, OutboxStore, Store } from '../../src/store/port.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { openScene, type Route, type Scene } from './contract/scene.ts'

export interface OutboxScene {
  readonly schema: string
  readonly store: Store
  readonly outbox: OutboxStore
  readonly scene: Scene
  /** Another node on the same schema. */
  openNode(): Promise<Store>
  /** A connection of somebody else's, with an open transaction. */
  begin(): Promise<pg.Client>
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Calls the SQL function, by parameter name: the arguments are SQL. */
  publish(client: pg.Client, args: Readonly<Record<string, string>>): Promise<string>
  /** Fans out all that waits, to these. */
  fanOut(routes?: readonly Route[], node?: Store): Promise<FanOutResult>
}

let schemas = 0

export async function anOutbox(server: PostgresServer): Promise<OutboxScene> {
  const schema = `outhook_outbox_${process.pid}_${++schemas}`
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    onTestFinished(() => client.end())
    return client
  }
  const openNode = async (): Promise<Store> => {
    const node = await openPostgresStore({ url: server.url, schema })
    onTestFinished(() => node.close())
    return node
  }
  const beside = await connect()
  onTestFinished(async () => {
    await beside.query(`drop schema ${schema} cascade`)
  })
  const store = await openNode()
  await beside.query(`set search_path to ${schema}`)
  const outbox = store.cluster?.outbox
  if (outbox === undefined) throw new Error('the store has no outbox')
  const scene = await openScene(async () => ({
    store,
    now: () => Date.now(),
    advance: async () => {},
    close: async () => {},
  }))
  return {
    schema,
    store,
    outbox,
    scene,
    openNode,
    async begin() {
      const client = await connect()
      await client.query('begin')
      return client
    },
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await beside.query<Row>(text, [...values])).rows,
    async publish(client, args) {
      const list = Object.entries(args).map(([name, value]) => `${name} => ${value}`)
      const { rows } = await client.query<{ id: string }>(
        `select ${schema}.publish(${list.join(', ')}) as id`,
      )
      return rows[0]?.id ?? ''
    },
    async fanOut(routes = [], node = store) {
      const waiting = (await node.cluster?.outbox.listAccepted(1000)) ?? []
      const { deliveries, routingVersion } = await scene.anEvent({ routes })
      const plans = waiting.map(({ id, tenantId, orderingKey, deliverAt }) => ({
        id,
        tenantId,
        orderingKey,
        deliverAt,
        filteredSubscriptions: null,
        routingVersion,
        deliveries: deliveries.map((delivery, at) => ({
          ...delivery,
          id: scene.ids.next('dlv'),
          ordered: routes[at]?.ordered === true && orderingKey !== null,
        })),
      }))
      return (await node.cluster?.outbox.fanOut(plans)) ?? { count: 0, stale: [], held: [] }
    },
  }
}
