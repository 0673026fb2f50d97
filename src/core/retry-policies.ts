/**
 * The retry policies that a server knows by name, the built-in ones and those of its operator, and which of them is in
 * force. A name that it does not know (a profile was taken out of the configuration, or another process has it) is nobody's:
 * the next one decides, because a delivery must never be lost over it, and whoever looks sees which name that is.
 */
import { OuthookError } from './errors.ts'
import type { StoredRetryPolicy } from './model.ts'
import {
  describeRetryProfiles,
  type EffectiveRetryPolicy,
  type PolicySource,
  policySources,
  type RetryPolicy,
  type RetryProfileName,
  retryProfiles,
} from './retry-policy.ts'
import { parseRetryPolicy } from './retry-policy-json.ts'

export type RetryProfiles = Readonly<Record<string, RetryPolicy>>

export const maxOwnProfiles = 100
const nameForm = /^[a-z][a-z0-9_-]{0,63}$/

/** Reads the operator's own, as JSON `{"gentle": {"delays": ["1m", "1h"]}}`. Throws `unprocessable`, which names the profile. */
export function parseRetryProfiles(input: unknown): RetryProfiles {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new OuthookError('unprocessable', 'must be an object of policies by name')
  }
  const given = Object.entries(input)
  if (given.length > maxOwnProfiles) {
    throw new OuthookError('unprocessable', `must be at most ${maxOwnProfiles} profiles`)
  }
  return Object.fromEntries(given.map(([name, policy]) => [checkName(name), readOwn(policy, name)]))
}

function checkName(name: string): string {
  const shown = JSON.stringify(name.slice(0, 64))
  if (Object.hasOwn(retryProfiles, name)) {
    throw new OuthookError('unprocessable', `${shown} is built in; choose another name for your own`)
  }
  if (nameForm.test(name)) return name
  throw new OuthookError(
    'unprocessable',
    `${shown} is no name of a profile: use lower-case letters, digits, "-" and "_", a letter first, at most 64`,
  )
}

function readOwn(policy: unknown, name: string): RetryPolicy {
  const read = typeof policy === 'string' ? null : parseRetryPolicy(policy, name)
  if (read !== null && typeof read !== 'string') return read
  throw new OuthookError('unprocessable', `${name} must be a policy, not the name of another one`)
}

export class RetryPolicies {
  /** The built-in ones, then the operator's. */
  readonly profiles: RetryProfiles
  /** The server's default, which decides where nobody nearer does. */
  readonly ofServer: StoredRetryPolicy
  readonly #own: readonly string[]

  constructor(own: RetryProfiles = {}, ofServer: StoredRetryPolicy = 'standard') {
    this.profiles = { ...retryProfiles, ...own }
    this.ofServer = ofServer
    this.#own = Object.keys(own)
  }

  knows(name: string): boolean {
    return Object.hasOwn(this.profiles, name)
  }

  /** For errors: every name that may be given. */
  describe(): string {
    return [describeRetryProfiles(), ...this.#own].join(', ')
  }

  /** A name or an object as of `parseRetryPolicy`; absent and null: nobody's. Throws `unprocessable`, which names the member. */
  read(value: unknown, member: string): StoredRetryPolicy | null {
    if (value === undefined || value === null) return null
    if (typeof value === 'string' && this.knows(value)) return value
    if (typeof value !== 'string') return parseRetryPolicy(value, member)
    const shown = `"${value.slice(0, 64)}"`
    throw new OuthookError(
      'unprocessable',
      `${member} ${shown} is no profile; profiles are ${this.describe()}`,
    )
  }

  /** Null: it is a name that is not known. */
  find(stored: StoredRetryPolicy): RetryPolicy | null {
    if (typeof stored !== 'string') return stored
    return this.knows(stored) ? (this.profiles[stored] as RetryPolicy) : null
  }

  /** The first that is there and known, else the server's. */
  resolve(...nearestFirst: readonly (StoredRetryPolicy | null | undefined)[]): RetryPolicy {
    for (const stored of nearestFirst) {
      const found = stored == null ? null : this.find(stored)
      if (found !== null) return found
    }
    return this.find(this.ofServer) ?? retryProfiles.standard
  }

  findEffective(
    given: Readonly<Partial<Record<PolicySource, StoredRetryPolicy | null>>>,
  ): EffectiveRetryPolicy {
    const all = { ...given, server: this.ofServer }
    const unknownProfiles: string[] = []
    for (const from of policySources) {
      const policy = all[from] ?? null
      if (policy === null) continue
      if (this.find(policy) !== null) return { policy, from, unknownProfiles }
      if (typeof policy === 'string') unknownProfiles.push(policy)
    }
    const standard: RetryProfileName = 'standard'
    return { policy: standard, from: 'server', unknownProfiles }
  }
}
