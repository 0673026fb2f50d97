/**
 * Keeps secrets out of what is printed. Receivers and proxies echo requests: an error page of Squid names the whole
 * URL, and in a webhook's URL the path is the password.
 */
import { HiddenSecrets, hideSecrets, minSecretChars } from '../core/hidden-secrets.ts'
import { decode, isSecretName } from './request-secrets.ts'

export const mask = '***'
const maxSecrets = 1000
/** A receiver may nest as deep as 64 KiB of brackets. */
const maxDepth = 100
const minSegmentChars = 8

export class Redactor {
  readonly #secrets = new Map<string, HiddenSecrets>()
  #all: readonly HiddenSecrets[] | null = null

  add(text: string): void {
    if (text.length < minSecretChars || this.#secrets.has(text)) return
    this.#secrets.set(text, new HiddenSecrets([text]))
    this.#all = null
    const oldest = this.#secrets.keys().next()
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
    this.#all ??= [...this.#secrets.values()]
    return hideSecrets(text, this.#all, { mask })
  }
}
