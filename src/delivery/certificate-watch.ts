/**
 * Tells that a client certificate that is in use, or an authority that a credential trusts, runs out: 30 days before, 7 days and 1, once each in every process; and its
 * tenant by an event, once from all of them.
 */
import { type CertificatePart, expiresWithin, firstToExpire, type WarningDays } from '../core/certificate.ts'
import type { Clock } from '../core/clock.ts'
import type { RoutedCredential } from '../core/credential.ts'

export interface ExpiringCertificate {
  readonly tenantId: string
  readonly credentialId: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly withinDays: WarningDays
  /** The client certificate, or the authorities that the credential trusts. */
  readonly part: CertificatePart
  /** Of the certificate, SHA-256 in hex. */
  readonly fingerprint: string
}

export interface CertificateWatchOptions {
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly onExpiring: (expiring: ExpiringCertificate) => void
  /** For the tenant, whom one process tells for all. While it fails it is tried again with each look. */
  readonly keep: (expiring: ExpiringCertificate) => Promise<void>
}

/** A certificate is looked at so often at most, however many requests it is used for. */
const everyMs = 60_000
const maxWatched = 10_000

interface Watched {
  lookedAt: number
  readonly fingerprint: string
  /** Days that were told of, and that are kept; infinity: none. */
  told: number
  kept: number
}

export class CertificateWatch {
  readonly #options: CertificateWatchOptions
  readonly #watched = new Map<string, Watched>()

  constructor(options: CertificateWatchOptions) {
    this.#options = options
  }

  used({ id, tenantId, name, settings }: RoutedCredential): void {
    const { clock } = this.#options
    const now = clock.elapsed()
    const before = this.#watched.get(id)
    if (before !== undefined && now - before.lookedAt < everyMs) return
    const facts = firstToExpire(settings)
    if (facts === null) return
    const { fingerprint, notAfter: expiresAt, part } = facts
    const none = Number.POSITIVE_INFINITY
    const isSame = before?.fingerprint === fingerprint
    const watched = isSame ? before : { lookedAt: now, fingerprint, told: none, kept: none }
    watched.lookedAt = now
    if (this.#watched.size >= maxWatched) this.#watched.clear()
    this.#watched.set(id, watched)
    const withinDays = expiresWithin(expiresAt, clock.now())
    if (withinDays !== null) {
      this.#tell(watched, { tenantId, credentialId: id, name, expiresAt, withinDays, part, fingerprint })
    }
  }

  #tell(watched: Watched, expiring: ExpiringCertificate): void {
    const { withinDays } = expiring
    if (withinDays < watched.told) {
      watched.told = withinDays
      this.#options.onExpiring(expiring)
    }
    if (withinDays >= watched.kept) return
    this.#options.keep(expiring).then(
      () => {
        watched.kept = Math.min(watched.kept, withinDays)
      },
      () => {},
    )
  }
}
