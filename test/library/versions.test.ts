/** Changes on condition, in the library. */
import { expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'

const conflict = { code: 'version_conflict', status: 412 }

test('a change with ifMatch is made only of the version that is there, of everything that can be configured', async () => {
  const hooks = await Outhook.open({ store: 'memory:', allowNetworks: ['127.0.0.0/8'] })
  onTestFinished(() => hooks.close())
  const { endpoint } = await hooks.endpoints.create({ url: 'https://127.0.0.1/' })
  const subscription = await hooks.subscriptions.create({ endpointId: endpoint.id, topicPatterns: ['a'] })
  const tenant = await hooks.tenants.create({ uid: 'acme' })
  const { key } = await hooks.keys.create({ name: 'shop' })
  const { key: token } = await hooks.adminTokens.create({ role: 'viewer', label: 'wall' })

  const changes = [
    [endpoint, (ifMatch: string) => hooks.endpoints.update(endpoint.id, { description: 'a' }, { ifMatch })],
    [
      subscription,
      (ifMatch: string) => hooks.subscriptions.update(subscription.id, { active: false }, { ifMatch }),
    ],
    [tenant, (ifMatch: string) => hooks.tenants.update(tenant.id, { name: 'a' }, { ifMatch })],
    [key, (ifMatch: string) => hooks.keys.update(key.id, { name: 'a' }, { ifMatch })],
  ] as const
  for (const [{ version }, change] of changes) {
    const changed = await change(version)
    expect(changed.version).not.toBe(version)
    await expect(change(version)).rejects.toMatchObject(conflict)
    expect((await change('*')).version).not.toBe(version)
  }

  const deletions = [
    [subscription.id, () => hooks.subscriptions.get(subscription.id), hooks.subscriptions.delete],
    [endpoint.id, () => hooks.endpoints.get(endpoint.id), hooks.endpoints.delete],
    [key.id, () => hooks.keys.get(key.id), hooks.keys.revoke],
    [token.id, () => hooks.adminTokens.get(token.id), hooks.adminTokens.revoke],
    [tenant.id, () => hooks.tenants.get(tenant.id), hooks.tenants.delete],
  ] as const
  for (const [id, get, remove] of deletions) {
    await expect(remove(id, { ifMatch: 'other' })).rejects.toMatchObject(conflict)
    await remove(id, { ifMatch: ['other', (await get()).version] })
  }
  expect((await hooks.tenants.list()).items.find(({ id }) => id === tenant.id)?.state).toBe('deleting')
})
