/**
 * The exchange of the master key while the store is in use. Every process is started with both keys first, so each opens
 * what either sealed. Then one row of the store says which key seals: `rotate` changes it, processes that look once a
 * second follow, and all of them seal anew whatever is under the old key, in slices. A slice replaces a value only where it
 * is still the one that was read, so they need not know of each other, and whoever dies leaves nothing half done. It is
 * over when a whole pass, begun after every process must have followed, found nothing more.
 */
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { Keyring } from '../core/keyring.ts'
import type { Logger } from '../core/logger.ts'
import {
  type MasterKeyStore,
  masterKeyCheck,
  masterKeyExchange,
  type SealedValue,
  type StoreTime,
} from '../store/port.ts'
import type { DurableWork } from './work-loop.ts'

const lookEveryMs = 1000
/** By then each process has looked, unless it stood still; `countSealed` finds what such a one sealed afterwards. */
const settleMs = 3000
const rowsOfSlice = 100

export interface MasterKeyState {
  /** Of the key that seals. */
  readonly fingerprint: string
  /** Of the key that is being replaced; null: none is. */
  readonly replacing: string | null
  /** Values that are still sealed under it; those under no key of this process are not counted. */
  readonly remaining: number
  /** Of all keys that this process was given. */
  readonly given: readonly string[]
}

interface Exchange {
  /** Check values; of what was left behind by an exchange before, a fingerprint is enough. */
  readonly from: string
  readonly to: string
  /** By the store's time. */
  readonly startedAt: number
}

export interface MasterKeysOptions {
  readonly store: MasterKeyStore
  readonly time: StoreTime
  readonly keyring: Keyring
  /** How many sealed columns there are, and the context of a value. */
  readonly columns: readonly { contextOf(place: Uint8Array): string }[]
  readonly words: FaceWords
  readonly logger: Logger
  readonly onStarted: () => void
}

export class MasterKeys implements DurableWork {
  readonly failing = 'values under the old master key could not be sealed anew; it is tried again'
  readonly #options: MasterKeysOptions
  /** Of the pass under way: when it began, where it is, what it found. */
  #pass: { readonly startedAt: number; column: number; after: Uint8Array | null; found: number } | null = null

  constructor(options: MasterKeysOptions) {
    this.#options = options
  }

  async state(): Promise<MasterKeyState> {
    const { store, keyring } = this.#options
    const exchange = await this.#read()
    const replacing = exchange === null ? null : printOf(exchange.from)
    const others = keyring.fingerprints.filter((print) => print !== keyring.fingerprint)
    const counts = await Promise.all(others.map((print) => store.countSealed(print)))
    return {
      fingerprint: printOf((await store.getMeta(masterKeyCheck)) ?? keyring.checkValue),
      replacing,
      remaining: counts.reduce((sum, count) => sum + count, 0),
      given: keyring.fingerprints,
    }
  }

  /**
   * Begins to seal everything under the newest key that this process was given. Asked for again it goes on, and once that
   * is done it changes nothing. Every process on the store must have been started with both keys before.
   * Errors: conflict (this process has one key only, or the store is at another exchange).
   */
  async rotate(): Promise<MasterKeyState> {
    const { store, keyring, words } = this.#options
    const current = await store.getMeta(masterKeyCheck)
    const exchange = await this.#read()
    if (exchange === null && current !== keyring.newest) await this.#begin(current, current ?? '')
    else if (keyring.fingerprints.length === 1) {
      throw new OuthookError(
        'conflict',
        `this process has one master key, ${keyring.fingerprint}; start every process with the new one ${words.masterKey}, ` +
          `and with this one ${words.masterKeyOld}`,
      )
    } else if (exchange === null) {
      const left = await this.#leftUnder()
      if (left !== null) await this.#begin(current, left)
    } else if (exchange.to !== keyring.newest) {
      throw new OuthookError(
        'conflict',
        `the store is at another exchange, from ${printOf(exchange.from)} to ${printOf(exchange.to)}; let it end first`,
      )
    }
    this.#options.onStarted()
    return this.state()
  }

  /** Should somebody else have begun meanwhile, nothing is changed, and it is the same exchange. */
  async #begin(current: string | null, from: string): Promise<void> {
    const { store, keyring, time, logger } = this.#options
    const started: Exchange = { from, to: keyring.newest, startedAt: time.now() }
    await store.replaceMeta([
      { name: masterKeyCheck, from: current, to: keyring.newest },
      { name: masterKeyExchange, from: null, to: JSON.stringify(started) },
    ])
    keyring.use(keyring.newest)
    logger.info(
      { from: printOf(from), to: printOf(started.to) },
      'the master key is exchanged: new values are sealed under the new one from now on',
    )
  }

  /** The fingerprint of a key that should have nothing left and has: a process stood still during the exchange. */
  async #leftUnder(): Promise<string | null> {
    const { store, keyring } = this.#options
    for (const print of keyring.fingerprints) {
      if (print !== keyring.fingerprint && (await store.countSealed(print)) > 0) return print
    }
    return null
  }

  async next(): Promise<number | null> {
    const { keyring, store } = this.#options
    if (keyring.fingerprints.length === 1) return null
    const current = await store.getMeta(masterKeyCheck)
    if (current !== null) keyring.use(current)
    const exchange = await this.#read()
    if (exchange !== null) return this.#sealSlice(exchange)
    this.#pass = null
    // Once the newest key seals there is nothing to come.
    return current === keyring.newest ? null : lookEveryMs
  }

  /** The answer: how long to wait for the next one. */
  async #sealSlice(exchange: Exchange): Promise<number> {
    const { store, columns, time } = this.#options
    this.#pass ??= { startedAt: time.now(), column: 0, after: null, found: 0 }
    const pass = this.#pass
    const column = columns[pass.column]
    if (column === undefined) return this.#endPass(exchange)
    const slice = await store.listSealed(pass.column, printOf(exchange.from), pass.after, rowsOfSlice)
    if (slice.values.length > 0) {
      const values = slice.values.flatMap((value) => this.#resealed(value, column))
      await store.replaceSealed(pass.column, values)
      pass.found += values.length
    }
    pass.after = slice.next
    if (slice.next === null) pass.column += 1
    return 0
  }

  /** Empty for what does not open: it is as lost under the one key as under the other. */
  #resealed({ key, place, sealed }: SealedValue, column: MasterKeysOptions['columns'][number]) {
    const { keyring, logger } = this.#options
    const context = column.contextOf(place)
    try {
      return [{ key, from: sealed, to: keyring.reseal(sealed, context) }]
    } catch (err) {
      logger.error({ err, of: context }, 'a sealed value is damaged, and stays under the old master key')
      return []
    }
  }

  async #endPass(exchange: Exchange): Promise<number> {
    const { store, time, logger } = this.#options
    const { startedAt, found } = this.#pass ?? { startedAt: 0, found: 1 }
    this.#pass = null
    const isSettled = startedAt >= exchange.startedAt + settleMs
    if (found > 0) return 0
    if (!isSettled) return Math.max(0, Math.min(lookEveryMs, exchange.startedAt + settleMs - time.now()))
    const ended = await store.replaceMeta([
      { name: masterKeyExchange, from: JSON.stringify(exchange), to: null },
    ])
    if (ended) {
      logger.info(
        { from: printOf(exchange.from), to: printOf(exchange.to) },
        'nothing is sealed under the old master key any more; take it out of the settings of every process',
      )
    }
    return 0
  }

  async #read(): Promise<Exchange | null> {
    const text = await this.#options.store.getMeta(masterKeyExchange)
    return text === null ? null : (JSON.parse(text) as Exchange)
  }
}

function printOf(checkValue: string): string {
  return checkValue.split('.')[0] ?? ''
}
