/** Tells that a client certificate that is in use runs out: 30 days before, 7 days and 1, once each in every process. */
import { describeCertificate, expiresWithin } from '../core/certificate.ts'
import type { Clock } from '../core/clock.ts'
import type { RoutedCredential } from '../core/credential.ts'

export interface ExpiringCertificate {
  readonly tenantId: string
  readonly credentialId: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly withinDays: 1 | 7 | 30
}

export interface CertificateWatchOptions {
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly onExpiring: (expiring: ExpiringCertificate) => void
}

/** A certificate is looked at so often at most, however many requests it is used for. */
const everyMs = 60_000
const maxWatched = 10_000

export class CertificateWatch {
  readonly #options: CertificateWatchOptions
  readonly #watched = new Map<string, { lookedAt: number; fingerprint: string; told: number }>()

  constructor(options: CertificateWatchOptions) {
    this.#options = options
  }

  used({ id, tenantId, name, settings }: RoutedCredential): void {
    const { clock, onExpiring } = this.#options
    const now = clock.elapsed()
    const before = this.#watched.get(id)
    if (before !== undefined && now - before.lookedAt < everyMs) return
    const facts = describeCertificate(settings.certificate ?? '')
    if (facts === null) return
    const isSame = before?.fingerprint === facts.fingerprint
    const told = isSame ? before.told : Number.POSITIVE_INFINITY
    const withinDays = expiresWithin(facts.notAfter, clock.now())
    const isNews = withinDays !== null && withinDays < told
    if (this.#watched.size >= maxWatched) this.#watched.clear()
    this.#watched.set(id, {
      lookedAt: now,
      fingerprint: facts.fingerprint,
      told: isNews ? withinDays : told,
    })
    if (isNews) onExpiring({ tenantId, credentialId: id, name, expiresAt: facts.notAfter, withinDays })
  }
}
