/** What a file of pyfly's callbacks says, once it is read: the names are pyfly's, in camel case. */

/** Where something stands in the file. */
export interface Place {
  /** Such as `configs[0].subscriptions[1].headers`. */
  readonly path: string
  readonly line: number
}

export interface CallbackFile {
  readonly configs: readonly CallbackConfig[]
  readonly settings: CallbackSettings
  /** What is there and has no meaning for an import. */
  readonly ignored: readonly Ignored[]
}

export interface Ignored {
  readonly place: Place
  readonly problem: string
  readonly advice: string
}

export interface CallbackConfig {
  readonly place: Place
  /** Unique in the file. */
  readonly id: string
  /** Empty: of no tenant in particular. */
  readonly tenantId: string
  readonly name: string
  readonly enabled: boolean
  readonly subscriptions: readonly CallbackSubscription[]
  readonly authorizedDomains: readonly AuthorizedDomain[]
  /** Null: requests are not signed. */
  readonly secret: Located<string> | null
  readonly maxAttempts: Located<number>
  readonly backoffMs: Located<number>
}

export interface CallbackSubscription {
  readonly place: Place
  readonly eventType: Located<string>
  readonly targetUrl: Located<string>
  readonly headers: readonly CallbackHeader[]
}

export interface CallbackHeader {
  readonly place: Place
  readonly name: string
  readonly value: string
}

export interface AuthorizedDomain {
  readonly place: Place
  readonly domain: string
  readonly description: string
}

/** `pyfly.callbacks` of the framework's configuration. What is undefined is not in the file. */
export interface CallbackSettings {
  readonly enabled?: Located<boolean>
  readonly timeoutMs?: Located<number>
  readonly failureThreshold?: Located<number>
  readonly recoveryMs?: Located<number>
}

export interface Located<T> {
  readonly value: T
  readonly place: Place
}

/** As pyfly has them where a config says nothing. */
export const callbackDefaults = { maxAttempts: 5, backoffMs: 5000 } as const
