/** Certificates in PEM: what is wrong with one, and what is shown of it. */
import { createPrivateKey, X509Certificate } from 'node:crypto'

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Null: it is a certificate, with or without the chain behind it, or a list of authorities. */
export function certificateProblem(text: string): string | null {
  const blocks = text.match(pem) ?? []
  if (blocks.length === 0) return 'must be certificates in PEM ("-----BEGIN CERTIFICATE-----")'
  for (const [index, block] of blocks.entries()) {
    if (parse(block) === null) return `holds what is no certificate (number ${index + 1})`
  }
  return null
}

/** Null: the key is that of the (first) certificate. Nothing of the key is said. */
export function privateKeyProblem(certificate: string, privateKey: string): string | null {
  let key: ReturnType<typeof createPrivateKey>
  try {
    key = createPrivateKey(privateKey)
  } catch {
    return 'must be a private key in PEM that is not encrypted'
  }
  return parse(certificate)?.checkPrivateKey(key) === true ? null : 'is not the key of the certificate'
}

export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  /** SHA-256, hex. */
  readonly fingerprint: string
  /** When it runs out, milliseconds since the epoch. */
  readonly notAfter: number
}

/** Of a certificate that was checked; null: it is none. */
export function describeCertificate(text: string): CertificateFacts | null {
  const certificate = parse(text)
  if (certificate === null) return null
  return {
    subject: certificate.subject?.replaceAll('\n', ', ') ?? '',
    issuer: certificate.issuer?.replaceAll('\n', ', ') ?? '',
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: Date.parse(certificate.validTo),
  }
}

/** Which of a credential's certificates: the one that connections show, or the authorities that they trust. */
export type CertificatePart = 'certificate' | 'ca'

/**
 * What of a credential runs out first. Of several authorities the last one to run out counts, for the receiver may have
 * changed to it; null: there is nothing that runs out.
 */
export function firstToExpire({
  certificate,
  ca,
}: {
  readonly certificate?: string
  readonly ca?: string
}): (CertificateFacts & { readonly part: CertificatePart }) | null {
  const shown = certificate === undefined ? null : describeCertificate(certificate)
  const [authority] = (ca?.match(pem) ?? [])
    .flatMap((block) => describeCertificate(block) ?? [])
    .sort((one, other) => other.notAfter - one.notAfter)
  if (shown !== null && !(authority !== undefined && authority.notAfter < shown.notAfter)) {
    return { ...shown, part: 'certificate' }
  }
  return authority === undefined ? null : { ...authority, part: 'ca' }
}

function parse(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text)
  } catch {
    return null
  }
}

/** Days before a certificate runs out at which somebody is told, the least first. */
export const warningDays = [1, 7, 30] as const
export type WarningDays = (typeof warningDays)[number]

/** Within how many days it runs out, as far as that is to be told; null: not yet. */
export function expiresWithin(notAfter: number, now: number): WarningDays | null {
  return warningDays.find((days) => notAfter - now <= days * 86_400_000) ?? null
}
