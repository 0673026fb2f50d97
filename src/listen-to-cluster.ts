/** What is done about that which other processes on the store tell. */
import { serverCatalogueId } from './core/event-type.ts'
import type { Dispatcher } from './delivery/dispatcher.ts'
import type { RoutingCache } from './delivery/routing-cache.ts'
import type { RoutingReload } from './delivery/routing-reload.ts'
import type { ActivityStream } from './engine/activity-stream.ts'
import type { Engine } from './engine/engine.ts'
import type { PayloadRules } from './engine/payload-rules.ts'
import type { Store } from './store/port.ts'

export interface ClusterParts {
  readonly store: Pick<Store, 'cluster'>
  readonly engine: Pick<Engine, 'tenants'>
  /** Null: this process delivers nothing. */
  readonly dispatcher: Dispatcher | null
  readonly routing: RoutingCache
  readonly routingReload: RoutingReload
  readonly stream: ActivityStream
  readonly payloads: Pick<PayloadRules, 'reload'>
}

export function listenToCluster(parts: ClusterParts): void {
  const { store, engine, dispatcher, routing, routingReload, stream, payloads } = parts
  store.cluster?.listen({
    onWork: () => dispatcher?.wake(),
    onRoutingChanged: (tenantId) => {
      if (tenantId === null || tenantId === serverCatalogueId) void payloads.reload().catch(() => {})
      engine.tenants.forgetNames()
      if (tenantId !== null && routing.peek(tenantId) !== undefined) routingReload.changed(tenantId)
      routing.invalidate(tenantId)
      if (tenantId !== null) dispatcher?.giveBackWaiting(tenantId)
      dispatcher?.wake()
    },
    onPauseChanged: (targetId, pausedUntil) => dispatcher?.setHealth(targetId, { pausedUntil }),
    onPaceKept: (pace) => dispatcher?.leavePace(pace),
    onStreamAsked: (tenants) => stream.asked(tenants),
    onStreamHeard: (message) => stream.heard(message),
    onStreamGap: () => stream.gap(),
  })
}
