import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { testedServers } from '../servers/postgres.ts'
import { openScene, type Route, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

describe.each(testedServers())(
  'a delivery that waits for another reason than its disabled endpoint, $name',
  ({ start }) => {
    let server: Awaited<ReturnType<typeof start>>
    let harness: PostgresHarness
    let scene: Scene
    let route: Route
    let behind: string
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server?.stop())
    beforeEach(async () => {
      harness = await openPostgresHarness(server)
      scene = await openScene(async () => harness)
      route = await scene.anEndpoint()
      behind = (await scene.publish({ routes: [route] })).deliveryId
      await harness.sql(`update live_deliveries set due_at = null, reason = 'behind_head' where id = $1`, [
        Buffer.from(idToBytes(behind)).toString('hex'),
      ])
    })
    afterEach(() => harness.close())

    const setDisabled = (disabledReason: 'operator' | null) =>
      scene.store.updateEndpoint(route.tenantId, route.endpointId, { disabledReason })

    it('goes on waiting when the endpoint is disabled and enabled again, and the others do not', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      await setDisabled('operator')
      expect(await scene.delivery(deliveryId)).toMatchObject({ reason: 'endpoint_disabled' })
      await setDisabled(null)
      while ((await scene.store.applyConfigChanges({ limit: 1 })).more);
      expect((await scene.claim()).deliveries.map(({ id }) => id)).toEqual([deliveryId])
      expect(await scene.delivery(behind)).toMatchObject({ reason: 'behind_head', nextAttemptAt: null })
    })

    it('is cancelled with the endpoint, and with its subscription', async () => {
      const other = await scene.anEndpoint()
      const { deliveryId } = await scene.publish({ routes: [other] })
      await harness.sql(`update live_deliveries set due_at = null, reason = 'behind_head' where id = $1`, [
        Buffer.from(idToBytes(deliveryId)).toString('hex'),
      ])
      await scene.store.deleteEndpoint(route.tenantId, route.endpointId)
      await scene.store.deleteSubscription(other.tenantId, other.subscriptionId)
      while ((await scene.store.applyConfigChanges({ limit: 1 })).more);
      expect(await scene.delivery(behind)).toMatchObject({ state: 'cancelled' })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled' })
    })
  },
)
