/**
 * When a failed attempt is tried again: the named profiles, and the arithmetic of waits.
 * Reading policies from API JSON and writing them back stands in `retry-policy-json.ts`.
 */
export interface RetryPolicy {
  /** Attempts in all, 1 to 100. */
  readonly maxAttempts: number
  /** Waits in order, the last repeating; or an exponential series. Milliseconds. */
  readonly delays: readonly number[] | ExponentialDelays
  /** `none`, `full` (uniform from 0 to the wait), or a share of the wait on either side, 0 to 1. */
  readonly jitter: 'none' | 'full' | number
  readonly retryOn: RetryOn
}

/** The wait after attempt n is `min(capMs, baseMs · factor^(n-1))`. */
export interface ExponentialDelays {
  readonly baseMs: number
  readonly factor: number
  readonly capMs: number
}

/**
 * Which HTTP statuses are retried: exact codes (`408`), classes (`5xx`), or `non-2xx` for all, minus `except`.
 * Redirects and 410 are never retried, whatever stands here; network failures and timeouts always are.
 */
export interface RetryOn {
  readonly include: readonly string[]
  readonly except: readonly string[]
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Everything beyond 5xx is no status that HTTP knows; the source systems that retry `5xx` retry those too. */
const serverErrorsAndOdd = ['5xx', '1xx', '6xx', '7xx', '8xx', '9xx']

/** The named policies. `standard` is the server's default; the others keep the rules of the systems they replace. */
export const retryProfiles = {
  standard: {
    maxAttempts: 10,
    delays: [
      5 * second,
      5 * minute,
      30 * minute,
      2 * hour,
      5 * hour,
      10 * hour,
      14 * hour,
      20 * hour,
      24 * hour,
    ],
    jitter: 0.2,
    retryOn: { include: ['non-2xx'], except: ['400', '410', '413', '422'] },
  },
  hookrail: {
    maxAttempts: 8,
    delays: { baseMs: 5 * second, factor: 2, capMs: 6 * hour },
    jitter: 'full',
    retryOn: { include: ['408', '425', '429', ...serverErrorsAndOdd], except: [] },
  },
  dograh: {
    maxAttempts: 5,
    delays: { baseMs: 30 * second, factor: 2, capMs: 600 * second },
    jitter: 'none',
    retryOn: { include: ['408', '425', '429', '500', '502', '503', '504'], except: [] },
  },
  pyfly: {
    maxAttempts: 5,
    delays: { baseMs: 5 * second, factor: 2, capMs: 300 * second },
    jitter: 'none',
    retryOn: { include: ['408', '429', '5xx', '6xx', '7xx', '8xx', '9xx'], except: [] },
  },
} as const satisfies Record<string, RetryPolicy>
export type RetryProfileName = keyof typeof retryProfiles

/** What each profile is, for help, documents and errors: three bear the names of systems that nobody has to know. */
export const retryProfileNotes: Readonly<Record<RetryProfileName, string>> = {
  standard: '10 attempts over three days',
  hookrail: '8 attempts within minutes, as the webhook server Hookrail does',
  dograh: '5 attempts over 8 minutes, as the voice platform Dograh does',
  pyfly: '5 attempts over 75 seconds, as the Python framework PyFly does',
}

export function describeRetryProfiles(): string {
  return Object.entries(retryProfileNotes)
    .map(([name, note]) => `${name} (${note})`)
    .join(', ')
}

export function isRetryProfileName(name: string): name is RetryProfileName {
  return Object.hasOwn(retryProfiles, name)
}

/** Whose policy is in force, from the nearest on. */
export const policySources = ['subscription', 'endpoint', 'tenant', 'server'] as const
export type PolicySource = (typeof policySources)[number]

export interface EffectiveRetryPolicy {
  /** A profile's name, or a policy of its own. */
  readonly policy: string | RetryPolicy
  /** Who has named it. */
  readonly from: PolicySource
  /** Profiles that somebody nearer names and this server does not know. */
  readonly unknownProfiles: readonly string[]
}

export function isRetryableStatus(policy: RetryPolicy, status: number): boolean {
  if (status === 410 || (status >= 200 && status < 400)) return false
  return names(policy.retryOn.include, status) && !names(policy.retryOn.except, status)
}

function names(list: readonly string[], status: number): boolean {
  const code = String(status)
  return list.includes(code) || list.includes(`${code[0]}xx`) || list.includes('non-2xx')
}

/**
 * The wait after the failed attempt `attemptNo`, whole milliseconds.
 *
 * @param attemptNo from 1
 * @param random uniform in [0, 1)
 */
export function nextDelayMs(policy: RetryPolicy, attemptNo: number, random: () => number): number {
  const wait = plainDelayMs(policy.delays, attemptNo)
  if (policy.jitter === 'none') return wait
  if (policy.jitter === 'full') return Math.round(wait * random())
  return Math.round(wait * (1 + policy.jitter * (2 * random() - 1)))
}

function plainDelayMs(delays: RetryPolicy['delays'], attemptNo: number): number {
  if ('baseMs' in delays) {
    return Math.round(Math.min(delays.capMs, delays.baseMs * delays.factor ** (attemptNo - 1)))
  }
  return delays[Math.min(attemptNo, delays.length) - 1] ?? 0
}

export interface DelayInput {
  /** The attempt that failed, from 1. */
  readonly attemptNo: number
  /** How long the receiver wants it to be, such as by `Retry-After`; null: it did not say. */
  readonly askedMs: number | null
  readonly random: () => number
}

/** The wait after a failed attempt: the policy's own or what the receiver asked for, whichever is longer. */
export function delayAfter(policy: RetryPolicy, input: DelayInput): number {
  const own = nextDelayMs(policy, input.attemptNo, input.random)
  return Math.max(own, input.askedMs ?? 0)
}
