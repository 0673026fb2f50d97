/**
 * Keeps secrets out of what is printed. Receivers and proxies echo requests: an error page of Squid names the whole
 * URL, and in a webhook's URL the path is the password.
 */
export const mask = '***'
const maxSecrets = 1000
/** A receiver may nest as deep as 64 KiB of brackets. */
const maxDepth = 100
/** Shorter ones would blot out ordinary words. */
export const minSecretChars = 6
const minSegmentChars = 8
const secretName = /auth|token|key|secret|cookie|passw|signature|credential|^sig$/i
const maxNames = 1000
const names = new Map<string, boolean>()

/** Of a header or a query parameter. */
export function isSecretName(name: string): boolean {
  const known = names.get(name)
  if (known !== undefined) return known
  const isSecret = secretName.test(name)
  if (names.size >= maxNames) names.clear()
  names.set(name, isSecret)
  return isSecret
}

export class Redactor {
  readonly #secrets = new Set<string>()
  #longestFirst: readonly string[] | null = null

  add(text: string): void {
    if (text.length < minSecretChars || this.#secrets.has(text)) return
    this.#secrets.add(text)
    this.#longestFirst = null
    const oldest = this.#secrets.values().next()
    if (this.#secrets.size > maxSecrets && !oldest.done) this.#secrets.delete(oldest.value)
  }

  /** Path and query, whole and in pieces. */
  addUrl(url: URL): void {
    this.add(url.pathname + url.search)
    if (url.pathname.length > 1) this.add(url.pathname)
    for (const segment of url.pathname.split('/')) {
      if (segment.length < minSegmentChars || /^[a-z]{1,15}$/.test(segment)) continue
      this.add(segment)
      this.add(decode(segment))
    }
    for (const value of url.searchParams.values()) this.add(value)
  }

  addHeaders(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) {
      if (!isSecretName(name)) continue
      this.add(value)
      this.add(value.replace(/^\w+ /, ''))
    }
  }

  /** A copy of JSON-like data with every secret in every text of it masked. */
  redact(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.redactText(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth > maxDepth) return mask
    if (Array.isArray(value)) return value.map((member) => this.redact(member, depth + 1))
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.redactText(name), this.redact(member, depth + 1)]),
    )
  }

  redactText(text: string): string {
    this.#longestFirst ??= [...this.#secrets].sort((a, b) => b.length - a.length)
    let redacted = text
    for (const secret of this.#longestFirst) redacted = redacted.replaceAll(secret, mask)
    return redacted
  }
}

/** As it stands where it is not encoded well. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
