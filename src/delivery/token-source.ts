/**
 * Tokens of OAuth2 credentials. Of one credential a process holds one token, which it takes from the store, where every
 * process finds it; who fetches a new one the store says, so that there is one request at a time for the whole cluster.
 *
 *     none, ended or refused ─► ask the store ─┬─► another process's token
 *                                              ├─► granted: fetch ─┬─► kept for all
 *                                              │                   └─► failed: nobody tries again for a while
 *                                              └─► held by another process: look again soon
 *
 * A token is replaced in the background before it ends. Nobody waits long for one: a delivery that would is put off, and
 * one for which none can be got fails visibly, so that a token server that hangs holds no slot of anybody.
 */
import type { Clock } from '../core/clock.ts'
import type { CredentialSecrets, RoutedCredential } from '../core/credential.ts'
import {
  readTokenAnswer,
  refreshMarginMs,
  tokenRequest,
  tokenRetryMs,
  transitMarginMs,
} from '../core/oauth-token.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { TokenAnswer } from '../destinations/port.ts'
import type { Sender } from '../sender/port.ts'
import type { StoredToken, TokenStore } from '../store/port.ts'

export interface TokenSourceOptions {
  readonly store: TokenStore
  readonly secretBox: Pick<SecretBox, 'open' | 'seal'>
  /** Of its own, so that a token server that hangs takes no connection of a delivery. The same guard holds. */
  readonly sender: Sender
  readonly clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly userAgent: string
  /** Names this process. */
  readonly holder: string
}

export type Token =
  | { readonly kind: 'token'; readonly token: string; readonly generation: number }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'wait'; readonly waitMs: number }

interface HeldToken {
  readonly token: string
  readonly generation: number
  /** On the elapsed scale. */
  readonly refreshAt: number
  readonly endsAt: number
}

interface State {
  /** Of the credential that the rest belongs to. */
  readonly version: string
  held: HeldToken | null
  /** A receiver did not take it, so another one is wanted. */
  refused: number | null
  /** No other token is asked for before this because one was refused. */
  refusedUntil: number
  /** Since when none can be used and one is being got; null: it was got, or could not be. */
  missingSince: number | null
  getting: Promise<void> | null
  failure: { readonly error: string; readonly until: number } | null
}

const fetchTimeoutMs = 10_000
const turnMs = fetchTimeoutMs + 5_000
/** Another process fetches it: until this one looks again. */
const lookAgainMs = 100
const storeRetryMs = 1_000
const maxPutOffMs = 5_000
/** Between two tokens that are asked for because receivers go on refusing them. */
const refusedAgainMs = 60_000
const maxStates = 10_000
const maxRefusals = 10_000

export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #states = new Map<string, State>()
  /** By credential and target, the token that was refused there last, without one that was taken since. */
  readonly #refusals = new Map<string, number>()

  constructor(options: TokenSourceOptions) {
    this.#options = options
  }

  /** @param patienceMs counted from when a token was first missing here */
  async get(credential: RoutedCredential, patienceMs: number): Promise<Token> {
    const state = this.#stateOf(credential)
    const known = this.#known(credential, state)
    if (known !== null) return known
    const { clock } = this.#options
    const getting = state.getting ?? this.#startGetting(credential, state)
    state.missingSince ??= clock.elapsed()
    const since = state.missingSince
    const leftMs = since + patienceMs - clock.elapsed()
    if (leftMs > 0) {
      const late = Promise.withResolvers<void>()
      const cancel = clock.schedule(leftMs, late.resolve)
      await Promise.race([getting, late.promise])
      cancel()
      const got = this.#known(credential, state)
      if (got !== null) return got
    }
    const waitedMs = clock.elapsed() - since
    return { kind: 'wait', waitMs: Math.min(maxPutOffMs, Math.max(patienceMs, waitedMs)) }
  }

  /**
   * What a receiver made of a token. True: it refused one that may have ended, so the request is to be made again with the
   * next one, and nothing is held against the delivery. A receiver that refuses the next one too refuses us.
   */
  answered(credential: RoutedCredential, use: TokenUse): boolean {
    const { generation, targetId, refused } = use
    const place = `${credential.id} ${targetId}`
    const before = this.#refusals.get(place)
    if (refused !== true) {
      if (before !== undefined && refused !== null) this.#refusals.delete(place)
      return false
    }
    if (this.#refusals.size >= maxRefusals) this.#refusals.clear()
    this.#refusals.set(place, before ?? generation)
    const isFirst = before === undefined || before === generation
    this.#replace(credential, generation, isFirst)
    return isFirst
  }

  #replace(credential: RoutedCredential, generation: number, isFirst: boolean): void {
    const state = this.#stateOf(credential)
    const now = this.#options.clock.elapsed()
    if (state.held?.generation !== generation || (!isFirst && now < state.refusedUntil)) return
    state.refused = generation
    state.refusedUntil = now + refusedAgainMs
  }

  #stateOf({ id, version }: RoutedCredential): State {
    const known = this.#states.get(id)
    if (known?.version === version) return known
    const state: State = {
      version,
      held: null,
      refused: null,
      refusedUntil: 0,
      missingSince: null,
      getting: null,
      failure: null,
    }
    if (this.#states.size >= maxStates) this.#states.clear()
    this.#states.set(id, state)
    return state
  }

  /** Null: one has to be got first. */
  #known(credential: RoutedCredential, state: State): Token | null {
    const { held, failure } = state
    const now = this.#options.clock.elapsed()
    const isFailed = failure !== null && now < failure.until
    if (held !== null && now < held.endsAt && held.generation !== state.refused) {
      if (now >= held.refreshAt && !isFailed && state.getting === null) {
        void this.#startGetting(credential, state)
      }
      return { kind: 'token', token: held.token, generation: held.generation }
    }
    return isFailed ? { kind: 'failed', error: failure.error } : null
  }

  #startGetting(credential: RoutedCredential, state: State): Promise<void> {
    state.getting = this.#get(credential, state)
      .catch(() => this.#fail(state, 'the store did not answer', storeRetryMs))
      .finally(() => {
        state.getting = null
      })
    return state.getting
  }

  async #get(credential: RoutedCredential, state: State): Promise<void> {
    const { store, holder } = this.#options
    const { id, version } = credential
    const instead = state.held?.generation ?? null
    const turn = await store.takeTokenTurn(id, { version, instead, holder, leaseMs: turnMs })
    switch (turn.kind) {
      case 'token':
        this.#hold(credential, state, turn.token)
        return
      case 'held':
      case 'outdated':
        await this.#pause(lookAgainMs)
        return
      case 'failed':
        this.#fail(state, turn.error, turn.waitMs)
        return
      case 'granted':
        await this.#fetch(credential, state, turn.failures)
    }
  }

  async #fetch(credential: RoutedCredential, state: State, failures: number): Promise<void> {
    const { store, secretBox, holder } = this.#options
    const answer = await this.#ask(credential)
    if (answer.kind === 'refused') {
      const { error } = answer
      const retryMs = tokenRetryMs(failures + 1)
      this.#fail(state, error, retryMs)
      await store.failToken(credential.id, holder, { error, retryMs })
      return
    }
    const { token, lifeMs } = answer
    const sealed = secretBox.seal(token, contextOf(credential))
    const kept = await store.keepToken(credential.id, holder, { sealed, lifeMs })
    if (kept !== null) this.#hold(credential, state, kept)
  }

  async #ask(credential: RoutedCredential) {
    const { secretBox, sender, userAgent } = this.#options
    const { id, settings, sealed } = credential
    const secrets = JSON.parse(secretBox.open(sealed, id)) as CredentialSecrets
    const { headers, body } = tokenRequest(settings, secrets)
    const result = await sender.attempt({
      destination: { kind: 'http', url: new URL(settings.tokenUrl ?? '') },
      method: 'POST',
      headers: { 'user-agent': userAgent, ...headers },
      body: Buffer.from(body),
      timeoutMs: Math.min(fetchTimeoutMs, sender.totalTimeoutMs),
      answerIsRead: true,
    })
    if (result.kind === 'failure') return { kind: 'refused', error: result.error } as const
    const { body: answered, truncated } = result.response
    return readTokenAnswer(result.httpStatus, {
      body: answered,
      truncated: truncated || result.brokeOff !== undefined,
    })
  }

  #hold(credential: RoutedCredential, state: State, stored: StoredToken): void {
    const { secretBox, clock } = this.#options
    const { generation, sealed, lifeMs, leftMs } = stored
    const endsAt = clock.elapsed() + leftMs - transitMarginMs(lifeMs)
    const refreshAt = clock.elapsed() + leftMs - refreshMarginMs(lifeMs)
    const token = secretBox.open(sealed, contextOf(credential))
    state.held = { token, generation, refreshAt, endsAt }
    state.failure = null
    state.missingSince = null
  }

  #fail(state: State, error: string, waitMs: number): void {
    state.failure = { error, until: this.#options.clock.elapsed() + waitMs }
    state.missingSince = null
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#options.clock.schedule(ms, resolve)
    return promise
  }
}

export interface TokenUse extends TokenAnswer {
  readonly generation: number
}

function contextOf({ id }: RoutedCredential): string {
  return `${id} token`
}
