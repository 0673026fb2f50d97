import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { openScene, type Route, type Scene } from './contract/scene.ts'
import { openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

let harness: SqliteHarness
let scene: Scene
let route: Route
let behind: string
beforeEach(async () => {
  harness = await openFileHarness()
  scene = await openScene(async () => harness)
  route = await scene.anEndpoint()
  behind = await oneBehindAHead(route)
})
afterEach(() => harness.close())

/** A delivery that waits for the one before it. */
async function oneBehindAHead(of: Route): Promise<string> {
  const { deliveryId } = await scene.publish({ routes: [of] })
  const beside = new DatabaseSync(harness.path)
  beside
    .prepare(`update live_deliveries set due_at = null, reason = 'behind_head' where id = ?`)
    .run(idToBytes(deliveryId))
  beside.close()
  return deliveryId
}

const setDisabled = (disabledReason: 'operator' | null) =>
  scene.store.updateEndpoint(route.tenantId, route.endpointId, { disabledReason })

it('a delivery behind another goes on waiting when its endpoint is disabled and enabled again, the others do not', async () => {
  const { deliveryId } = await scene.publish({ routes: [route] })
  await setDisabled('operator')
  expect(await scene.delivery(deliveryId)).toMatchObject({ reason: 'endpoint_disabled' })
  await setDisabled(null)
  while ((await scene.store.applyConfigChanges({ limit: 1 })).more);
  expect((await scene.claim()).deliveries.map(({ id }) => id)).toEqual([deliveryId])
  expect(await scene.delivery(behind)).toMatchObject({ reason: 'behind_head', nextAttemptAt: null })
})

it('a delivery behind another is cancelled with its endpoint, and with its subscription', async () => {
  const other = await scene.anEndpoint()
  const alsoBehind = await oneBehindAHead(other)
  await scene.store.deleteEndpoint(route.tenantId, route.endpointId)
  await scene.store.deleteSubscription(other.tenantId, other.subscriptionId)
  while ((await scene.store.applyConfigChanges({ limit: 1 })).more);
  expect(await scene.delivery(behind)).toMatchObject({ state: 'cancelled' })
  expect(await scene.delivery(alsoBehind)).toMatchObject({ state: 'cancelled' })
})
