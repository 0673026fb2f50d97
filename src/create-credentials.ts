/** What looks up the credentials of requests in this process, and what that keeps in the store. */
import { randomUUID } from 'node:crypto'
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { SecretBox } from './core/secret-box.ts'
import { createSender, userAgent } from './create-delivery.ts'
import type { DeliveryActivity } from './delivery/activity.ts'
import { CertificateWatch, type ExpiringCertificate } from './delivery/certificate-watch.ts'
import { CredentialSource } from './delivery/credential-source.ts'
import type { RoutingCache } from './delivery/routing-cache.ts'
import { TokenSource } from './delivery/token-source.ts'
import { LastUses } from './engine/last-uses.ts'
import type { AddressPolicy } from './sender/address-policy.ts'
import type { Store } from './store/port.ts'

interface CredentialParts {
  readonly config: Config
  readonly logger: Logger
  readonly store: Store
  readonly clock: Clock
  readonly secretBox: SecretBox
  readonly routing: RoutingCache
  readonly activity: DeliveryActivity
  readonly guard: AddressPolicy
  /** A tenant is to be told of a certificate. */
  readonly onNotice: () => void
}

/** Of token servers. Deliveries have connections of their own. */
const maxConnections = 64

export interface OpenCredentials {
  readonly credentials: CredentialSource
  readonly closeCredentials: () => Promise<void>
}

export function createCredentials(parts: CredentialParts): OpenCredentials {
  const { store, secretBox, routing, clock, logger } = parts
  const uses = new LastUses({
    of: 'credentials',
    keep: (noted) => store.noteCredentialUse(noted),
    time: store.time,
    clock,
    logger,
  })
  const sender = createSender(parts, maxConnections)
  const tokens = new TokenSource({ store, secretBox, sender, clock, userAgent, holder: randomUUID() })
  return {
    credentials: new CredentialSource({
      tokens,
      routing,
      secretBox,
      clock,
      onUse: (id) => uses.note(id),
      certificates: new CertificateWatch({
        clock,
        onExpiring: (each) => tellExpiring(parts, each),
        keep: (each) => keepExpiring(parts, each),
      }),
    }),
    async closeCredentials() {
      await sender.close({ abort: true })
      await uses.close()
    },
  }
}

function tellExpiring({ logger, activity }: CredentialParts, expiring: ExpiringCertificate): void {
  const { tenantId, credentialId, name, withinDays, expiresAt, part } = expiring
  const what = part === 'ca' ? 'what a credential trusts as ca' : 'a client certificate'
  const isOver =
    withinDays === 1 ? 'a day or less is left, or it is over' : `${withinDays} days or less are left`
  logger.warn(
    { tenant_id: tenantId, credential_id: credentialId, name, expires_at: new Date(expiresAt).toISOString() },
    `${what} runs out: ${isOver}; give the credential another one`,
  )
  activity.tell('certificateExpiring', expiring)
}

/** The tenant is told by an event, once for all processes. */
async function keepExpiring(parts: CredentialParts, expiring: ExpiringCertificate): Promise<void> {
  const { store, clock, logger, onNotice } = parts
  const { credentialId, fingerprint, expiresAt, withinDays, part } = expiring
  try {
    const notice = { part, fingerprint, expiresAt, withinDays, noticedAt: clock.now() }
    if (await store.noteExpiry(credentialId, notice)) onNotice()
  } catch (err) {
    const what = 'that a certificate runs out could not be kept for its tenant; it is tried again'
    logger.warn({ err, credential_id: credentialId }, what)
    throw err
  }
}
