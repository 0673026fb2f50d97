/** Which calls of the store the other processes on the database are told about, and what. */
import type { Cluster, NewEvent, OutboxStore, PublishResult, Store } from '../../port.ts'
import type { Hints } from './hints.ts'

export function tellOthers(
  store: Omit<Store, 'cluster'>,
  cluster: Omit<Cluster, 'listen' | 'tellPaces' | 'stream'>,
  hints: Hints,
): Store {
  return {
    ...store,
    ...tellWork(store, hints),
    ...tellConfiguration(store, hints),
    cluster: {
      shares: cluster.shares,
      keyTokens: cluster.keyTokens,
      nodes: cluster.nodes,
      outbox: tellFanOut(cluster.outbox, hints),
      listen: (listener) => hints.listen(listener),
      tellPaces: (perSecond) => hints.tellPaces(perSecond),
      stream: {
        ask: (tenants) => hints.askForStream(tenants),
        tell: (messages) => hints.tellStream(messages),
      },
    },
    async close() {
      await hints.close()
      await store.close()
    },
  }
}

function tellWork(store: Omit<Store, 'cluster'>, hints: Hints) {
  return {
    async publish(batch, options) {
      const results = await store.publish(batch, options)
      if (batch.some((event, index) => leavesWork(event, results[index]))) hints.tellWork()
      return results
    },
    async release(releases) {
      const held = await store.release(releases)
      const isDue = releases.some((each) => each.delayMs === 0 && !held.includes(each))
      if (isDue) hints.tellWork()
      return held
    },
    async replay(tenantId, deliveryId) {
      const result = await store.replay(tenantId, deliveryId)
      if (result.kind === 'replayed') hints.tellWork()
      return result
    },
    async resend(tenantId, deliveryId) {
      const result = await store.resend(tenantId, deliveryId)
      if (result.kind === 'replayed') hints.tellWork()
      return result
    },
    async skipDelivery(tenantId, deliveryId, reason) {
      const result = await store.skipDelivery(tenantId, deliveryId, reason)
      if (result.kind === 'skipped' && result.targetId !== null) hints.tellWork()
      return result
    },
    async runJobSlice(slice) {
      const result = await store.runJobSlice(slice)
      // A job may end with a change of an endpoint.
      if (result?.job.state === 'done') hints.tellTenant(result.job.tenantId)
      if (result?.isDue === true) hints.tellWork()
      return result
    },
    async fanOutSlice(deliveryIds) {
      const result = await store.fanOutSlice(deliveryIds)
      if (result.made > 0) hints.tellWork()
      return result
    },
    async reconcileReady(options) {
      const result = await store.reconcileReady(options)
      if (result.armed > 0) hints.tellWork()
      return result
    },
    async recordOutcomes(outcomes, breaker) {
      const result = await store.recordOutcomes(outcomes, breaker)
      for (const [targetId, health] of result.health) {
        const pausedUntil = health?.pausedUntil ?? null
        // One failure more is nobody's business yet.
        if (pausedUntil !== null || (health?.consecutiveFailures ?? 0) === 0) {
          hints.tellPause(targetId, pausedUntil)
        }
      }
      for (const { tenantId } of result.disabled) hints.tellTenant(tenantId)
      return result
    },
  } satisfies Partial<Store>
}

function tellFanOut(outbox: OutboxStore, hints: Hints): OutboxStore {
  return {
    ...outbox,
    async fanOut(plans) {
      const result = await outbox.fanOut(plans)
      if (result.count > 0) hints.tellWork()
      return result
    },
  }
}

/** Some of its deliveries wait in the store for whoever claims them. */
function leavesWork(event: NewEvent, result: PublishResult | undefined): boolean {
  return (
    result?.kind === 'published' &&
    event.deliveries.some(({ parked }, index) => parked === null && result.handedOff[index] !== true)
  )
}

function tellConfiguration(store: Omit<Store, 'cluster'>, hints: Hints) {
  /** A call that failed is told too: the change may have happened. */
  const telling = async <T>(tenantId: string, change: Promise<T>): Promise<T> => {
    try {
      return await change
    } finally {
      hints.tellTenant(tenantId)
    }
  }
  return {
    insertEndpoint: (input) => telling(input.endpoint.tenantId, store.insertEndpoint(input)),
    updateEndpoint: (tenantId, ...change) => telling(tenantId, store.updateEndpoint(tenantId, ...change)),
    deleteEndpoint: (tenantId, ...change) => telling(tenantId, store.deleteEndpoint(tenantId, ...change)),
    rotateSecret: (tenantId, endpointId, secret, graceMs) =>
      telling(tenantId, store.rotateSecret(tenantId, endpointId, secret, graceMs)),
    setPrimarySecret: (tenantId, ...secret) => telling(tenantId, store.setPrimarySecret(tenantId, ...secret)),
    insertSubscription: (input) => telling(input.tenantId, store.insertSubscription(input)),
    updateSubscription: (tenantId, ...change) =>
      telling(tenantId, store.updateSubscription(tenantId, ...change)),
    deleteSubscription: (tenantId, ...change) =>
      telling(tenantId, store.deleteSubscription(tenantId, ...change)),
    insertCredential: (input) => telling(input.credential.tenantId, store.insertCredential(input)),
    updateCredential: (tenantId, ...change) => telling(tenantId, store.updateCredential(tenantId, ...change)),
    deleteCredential: (tenantId, ...change) => telling(tenantId, store.deleteCredential(tenantId, ...change)),
    insertEventType: (id, input) => telling(id, store.insertEventType(id, input)),
    updateEventType: (id, ...change) => telling(id, store.updateEventType(id, ...change)),
    deleteEventType: (id, ...change) => telling(id, store.deleteEventType(id, ...change)),
    putEventTypes: (id, ...types) => telling(id, store.putEventTypes(id, ...types)),
    async writeOnce(request, write) {
      const [first] = write.args
      const isWork = write.name === 'replay' || write.name === 'resend'
      const tenantId = tenantOfWrite(first)
      const written = store.writeOnce(request, write)
      const result = await (tenantId === null ? written : telling(tenantId, written))
      if (isWork) hints.tellWork()
      return result
    },
    deleteTenant: (id, options) => telling(id, store.deleteTenant(id, options)),
    updateTenant: (id, ...change) => telling(id, store.updateTenant(id, ...change)),
  } satisfies Partial<Store>
}

/** The first argument of a write is the tenant's id, or what holds one. Null: it concerns no tenant's routing. */
function tenantOfWrite(first: unknown): string | null {
  if (typeof first === 'string') return first
  const { tenantId, endpoint, credential } = first as {
    readonly tenantId?: string
    readonly endpoint?: { readonly tenantId: string }
    readonly credential?: { readonly tenantId: string }
  }
  return tenantId ?? endpoint?.tenantId ?? credential?.tenantId ?? null
}
