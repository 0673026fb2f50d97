/**
 * Calls that count once, under a key that their maker chose. What such a call writes and that it was written is one
 * transaction (`writeOnce`), whoever dies when. Afterwards the answer is kept too, sealed under the master key, for a
 * secret that is shown once is shown again to whoever asks with the same key. Should the process die in between, the
 * call runs again with what its write gave then, and with secrets from the same seed: the same answer comes of it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, hash } from 'node:crypto'
import { OuthookError } from '../core/errors.ts'
import type { SecretBox } from '../core/secret-box.ts'
import {
  isDone,
  type KeptRequest,
  keptWrites,
  type NewKeptRequest,
  type RequestStore,
  type Store,
} from '../store/port.ts'

const seedBytes = 32
/** How often it is looked whether whoever wrote a call has kept its answer by now. It takes one commit. */
const maxLooks = 100

export interface RequestIdentity {
  /** Whose key it is: a key of another caller or tenant is another one. */
  readonly owner: readonly (string | null)[]
  readonly key: string
  /** All that is asked for, as text. */
  readonly content: string
}

/** One run of a call. */
class Run {
  readonly request: NewKeptRequest
  isWritten = false
  readonly #seed: string
  #kept: KeptRequest | null
  #drawn = 0

  constructor(request: NewKeptRequest, seed: string, kept: KeptRequest | null) {
    this.request = request
    this.#seed = seed
    this.#kept = kept
  }

  /** What the write gave in an earlier run; asked once, for what comes after it is done in any case. */
  takeWrite(): KeptRequest['write'] {
    const write = this.#kept?.write ?? null
    this.#kept = null
    return write
  }

  random(size: number): Uint8Array {
    const blocks: Buffer[] = []
    for (let length = 0; length < size; length += seedBytes) {
      this.#drawn += 1
      blocks.push(hash('sha256', `${this.#seed} ${this.#drawn}`, 'buffer'))
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, size))
  }
}

/** Somebody else has written the same call meanwhile: its answer is this one's. */
class TakenError extends Error {}

export interface IdempotentRequestsOptions {
  readonly store: RequestStore
  readonly secretBox: SecretBox
  readonly randomBytes: (size: number) => Uint8Array
  readonly ttlMs: number
}

/** An answer, as text, and what becomes of one that is made now. */
export type Answered =
  | { readonly kind: 'again'; readonly answer: string }
  | { readonly kind: 'run'; readonly isAgain: boolean; keep(answer: string): Promise<void> }

export class IdempotentRequests {
  readonly #options: IdempotentRequestsOptions
  readonly #runs = new AsyncLocalStorage<Run>()

  constructor(options: IdempotentRequestsOptions) {
    this.#options = options
  }

  /** A source of random bytes, which are the same in each run of the same call. */
  randomBytes = (size: number): Uint8Array =>
    this.#runs.getStore()?.random(size) ?? this.#options.randomBytes(size)

  /**
   * The kept answer (`again`), or runs the call: `call` is told how to keep what it answers. Errors: idempotency_conflict,
   * and those of the call, after which the key is as free as before.
   */
  async run<T>(identity: RequestIdentity, call: (answered: Answered) => Promise<T>): Promise<T> {
    const id = createHash('sha256')
      .update(JSON.stringify([...identity.owner, identity.key]))
      .digest()
    const content = createHash('sha256').update(identity.content).digest()
    const place = `request ${id.toString('hex')}`
    // Twice at most: whoever finds the key taken finds what is kept under it.
    for (let tries = 1; ; tries++) {
      const kept = await this.#find(id)
      if (kept !== null && !content.equals(kept.hash)) throw conflict()
      const { secretBox } = this.#options
      if (kept !== null && kept.answer !== null)
        return call({ kind: 'again', answer: secretBox.open(kept.answer, place) })
      const seed = kept === null ? this.#newSeed() : secretBox.open(kept.seed, place)
      const sealed = kept?.seed ?? secretBox.seal(seed, place)
      const request = { id, hash: content, seed: sealed, ttlMs: this.#options.ttlMs }
      const keep = (answer: string) => this.#options.store.keepAnswer(request, secretBox.seal(answer, place))
      try {
        return await this.#runs.run(new Run(request, seed, kept), () =>
          call({ kind: 'run', isAgain: kept !== null, keep }),
        )
      } catch (error) {
        if (error instanceof TakenError && tries <= 2) continue
        throw kept?.write != null && isNotFound(error) ? goneSince(error) : error
      }
    }
  }

  /** The store, whose writes are kept while they are part of such a call: the first of each. */
  rememberWrites(store: Store): Store {
    const remembered = Object.fromEntries(
      keptWrites.map((name) => {
        const write = store[name] as (...args: readonly unknown[]) => Promise<unknown>
        return [name, (...args: readonly unknown[]) => this.#write(store, { name, args }, write)]
      }),
    )
    return { ...store, ...remembered }
  }

  async #write(
    store: Store,
    { name, args }: Parameters<RequestStore['writeOnce']>[1],
    write: (...args: readonly unknown[]) => Promise<unknown>,
  ): Promise<unknown> {
    const run = this.#runs.getStore()
    if (run === undefined || run.isWritten) return write(...args)
    const before = run.takeWrite()
    if (before?.name === name) {
      run.isWritten = true
      return before.result
    }
    if (before !== null) {
      // It was made then, and is brought to the same once more. Of anything else nothing is done twice.
      if (!name.startsWith('update')) throw conflict()
      run.isWritten = true
      return write(...args)
    }
    const written = await store.writeOnce(run.request, { name, args })
    if (written.kind === 'taken') throw new TakenError()
    run.isWritten = isDone(written.result)
    return written.result
  }

  /** With its answer, where that comes soon. */
  async #find(id: Uint8Array): Promise<KeptRequest | null> {
    const { store } = this.#options
    let kept = await store.getRequest(id)
    for (let looks = 1; looks < maxLooks && kept !== null && kept.answer === null; looks++) {
      kept = await store.getRequest(id)
    }
    return kept
  }

  #newSeed(): string {
    return Buffer.from(this.#options.randomBytes(seedBytes)).toString('hex')
  }
}

function isNotFound(error: unknown): error is OuthookError {
  return error instanceof OuthookError && error.code === 'not_found'
}

/** Without its answer, and nothing left of which another could be made. */
function goneSince(cause: OuthookError): OuthookError {
  return new OuthookError(
    'not_found',
    `${cause.message}; this request was carried out before, its answer was lost, and what it was about has been deleted since: there is nothing to do again`,
    { cause },
  )
}

function conflict(): OuthookError {
  return new OuthookError(
    'idempotency_conflict',
    'the idempotency key was used for another request; give each request a key of its own',
  )
}
