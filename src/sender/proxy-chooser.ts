/** Asks a provider for proxies, so that whatever it does wrong is one kind of error. */
import type { Clock } from '../core/clock.ts'
import { within } from './pause.ts'
import type { ProxyEntry, ProxyProvider } from './proxy-provider.ts'
import { ProxyRoute } from './proxy-route.ts'
import type { Redactor } from './redaction.ts'

export interface ChosenProxy {
  /** As the provider gave it. */
  readonly entry: ProxyEntry
  readonly route: ProxyRoute
}

/** The message holds nothing of the provider's: its words may hold a password. They are the cause. */
export class ProviderError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ProviderError'
  }
}

export interface ChooserOptions {
  readonly clock: Clock
  /** For each call of the provider. */
  readonly timeoutMs: number
  readonly redactor: Redactor
}

const maxRoutes = 1000

export class ProxyChooser {
  readonly #provider: ProxyProvider
  readonly #options: ChooserOptions
  /** The same text is the same route, and so finds its open connections. */
  readonly #routes = new Map<string, ProxyRoute>()

  constructor(provider: ProxyProvider, options: ChooserOptions) {
    this.#provider = provider
    this.#options = options
  }

  /** Errors: ProviderError. */
  async choose(signal: AbortSignal | undefined): Promise<ChosenProxy> {
    const entry = await this.#call('get', () => this.#provider.get(), signal)
    const text = typeof entry === 'string' ? entry : entry?.url
    if (typeof text !== 'string') {
      throw new ProviderError(
        'the proxy provider gave neither a URL nor an object with one; nothing was sent',
      )
    }
    return { entry, route: this.#routeOf(text) }
  }

  /** Errors: ProviderError. */
  async burn(proxy: ChosenProxy, signal: AbortSignal | undefined): Promise<void> {
    if (typeof this.#provider.burn !== 'function') return
    await this.#call('burn', () => this.#provider.burn?.(proxy.entry), signal)
  }

  /** Not waited for: the answer is there, and nothing about it depends on this. */
  praise(proxy: ChosenProxy): void {
    if (typeof this.#provider.succeeded !== 'function') return
    this.#call('succeeded', () => this.#provider.succeeded?.(proxy.entry), undefined).catch(() => {})
  }

  async #call<T>(name: string, ask: () => T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { clock, timeoutMs } = this.#options
    try {
      const answer = await within(timeoutMs, ask, { clock, signal })
      if (answer.kind === 'value') return answer.value
    } catch (error) {
      throw new ProviderError(`the proxy provider failed in ${name}()${nameOf(error)}`, error)
    }
    throw new ProviderError(`the proxy provider did not answer ${name}() within ${timeoutMs} ms`)
  }

  #routeOf(text: string): ProxyRoute {
    const known = this.#routes.get(text)
    if (known !== undefined) return known
    let route: ProxyRoute
    try {
      route = ProxyRoute.parse(text)
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'it cannot be read'
      throw new ProviderError(`the proxy provider gave a wrong proxy: ${problem}`, error)
    }
    this.#hide(text, route)
    this.#routes.set(text, route)
    const oldest = this.#routes.keys().next()
    if (this.#routes.size > maxRoutes && !oldest.done) this.#routes.delete(oldest.value)
    return route
  }

  #hide(text: string, route: ProxyRoute): void {
    const { redactor } = this.#options
    const credentials = route.credentials()
    if (credentials === null) return
    redactor.add(text)
    redactor.add(credentials.password)
    redactor.add(encodeURIComponent(credentials.password))
    redactor.add(route.basicAuthorization()?.replace('Basic ', '') ?? '')
  }
}

/** Classes are written by programmers and safe to show; messages are not. */
function nameOf(error: unknown): string {
  const name = error instanceof Error ? error.constructor.name : ''
  return /^\w{1,50}$/.test(name) ? ` (${name})` : ''
}
