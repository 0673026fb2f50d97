/** What delivers, with the settings of this process. */
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import type { BreakerPolicy } from './core/endpoint-health.ts'
import { OuthookError } from './core/errors.ts'
import type { Logger } from './core/logger.ts'
import type { DeliveryActivity } from './delivery/activity.ts'
import type { CredentialSource } from './delivery/credential-source.ts'
import { DeliveryService } from './delivery/delivery-service.ts'
import type { RoutingCache } from './delivery/routing-cache.ts'
import type { Tracing } from './observability/tracing.ts'
import type { createAddressPolicy } from './sender/address-policy.ts'
import { createHttpSender } from './sender/http-sender.ts'
import type { Sender } from './sender/port.ts'
import { ProxyRoute } from './sender/proxy-route.ts'
import type { Retention, Store } from './store/port.ts'
import { traceSender } from './trace-parts.ts'
import { version } from './version.ts'

interface DeliveryParts {
  readonly config: Config
  readonly logger: Logger
  readonly store: Store
  readonly clock: Clock
  readonly activity: DeliveryActivity
  readonly routing: RoutingCache
  readonly credentials: CredentialSource
  readonly guard: ReturnType<typeof createAddressPolicy>
  /** Tenants are to be told of deliveries. */
  readonly onNotices: () => void
  /** Null: nobody traces. */
  readonly tracing: Tracing | null
}

export const userAgent = `outhook/${version}`

/** As deliveries are sent. */
export function createSender(
  { config, clock, guard }: Pick<DeliveryParts, 'config' | 'clock' | 'guard'>,
  maxConnections: number,
): Sender {
  const { connectTimeoutMs, headersTimeoutMs, totalTimeoutMs, outboundProxy } = config
  return createHttpSender({
    clock,
    guard,
    redactsCaptures: true,
    ...(outboundProxy !== null && { via: readOutboundProxy(outboundProxy) }),
    connectTimeoutMs,
    headersTimeoutMs,
    totalTimeoutMs,
    maxConnections,
  })
}

/** Errors: invalid_config, without the URL, which may hold a password. */
function readOutboundProxy(url: string): ProxyRoute {
  try {
    return ProxyRoute.parse(url)
  } catch (error) {
    const problem = error instanceof OuthookError ? error.message : 'it cannot be read'
    throw new OuthookError('invalid_config', `the outbound proxy cannot be used: ${problem}`)
  }
}

export function retentionOf(config: Config): Retention {
  return {
    payloadsMs: config.retainPayloadsMs,
    attemptsMs: config.retainAttemptsMs,
    eventsMs: config.retainEventsMs,
    deadLettersMs: config.retainDeadLettersMs,
    jobsMs: config.retainJobsMs,
  }
}

/** The server's. */
export function breakerOf(config: Config): BreakerPolicy {
  return {
    failureThreshold: config.breakerThreshold,
    pauseMs: config.breakerPauseMs,
    maxPauseMs: config.breakerMaxPauseMs,
    disableAfterMs: config.disableAfterMs,
  }
}

export function createDelivery({ config, guard, tracing, ...parts }: DeliveryParts): DeliveryService {
  // Idle ones beside those in use.
  const sender = createSender({ config, clock: parts.clock, guard }, Math.max(1024, config.maxInFlight * 2))
  return new DeliveryService({
    ...parts,
    breaker: breakerOf(config),
    failingAfter: config.failingAfter,
    retention: retentionOf(config),
    auditRetentionMs: config.retainAuditMs,
    random: Math.random,
    userAgent,
    maxInFlight: config.maxInFlight,
    sender: traceSender(sender, { tracing, passesTrace: config.traceHeaders === 'pass' }),
  })
}
