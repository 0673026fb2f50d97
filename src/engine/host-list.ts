import { maxDomainChars, parseDomain } from '../core/domains.ts'
import { OuthookError } from '../core/errors.ts'

/** Hosts in their normal form, each once. Throws `unprocessable`, which names the entry. */
export function readHosts(entries: readonly unknown[], member: string): readonly string[] {
  const hosts = entries.map((entry, index) => {
    const host = typeof entry === 'string' ? parseDomain(entry) : null
    if (host !== null) return host
    throw new OuthookError(
      'unprocessable',
      `${member}[${index}] must be a host such as "example.com", which stands for all below it too, of at most ${maxDomainChars} characters`,
    )
  })
  return [...new Set(hosts)]
}
