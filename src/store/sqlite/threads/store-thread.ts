/** The main thread's side of one of the store's threads. */
import { Worker } from 'node:worker_threads'
import { OuthookError } from '../../../core/errors.ts'
import type { FromThread, ToThread } from './thread-port.ts'
import { toError } from './tick.ts'

/** Each has its entry point in `<name>-thread.ts`. */
export type StoreThreadName = 'writer' | 'reader' | 'backup' | 'copy' | 'examine' | 'outbox'

const youngGenerationMb = 64

interface Waiting {
  readonly id: number
  resolve(reply: never): void
  reject(error: Error): void
}

/** Who answers ticks or reads: a thread, or the caller's own. */
export interface StoreService {
  request<Reply>(request: unknown, transfer?: readonly ArrayBuffer[]): Promise<Reply>
  /** Settles only when it has ended without having been told to: it answers nothing any more. */
  readonly lost: Promise<OuthookError>
  close(): Promise<void>
}

export class StoreThread implements StoreService {
  readonly #worker: Worker
  /** A few, and no map: see `LinkedList` for what maps keep that come and go with each message. */
  readonly #waiting: Waiting[] = []
  readonly #ready: Promise<void>
  readonly #exited: Promise<void>
  readonly #lost = Promise.withResolvers<OuthookError>()
  #closing = false
  #nextId = 1
  #dead: OuthookError | null = null

  private constructor(name: StoreThreadName, data: unknown, onNote: (text: string) => void) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./${name}-thread.${extension}`, import.meta.url), {
      name: `outhook-store-${name}`,
      workerData: data,
      // node:sqlite announces itself as experimental on Node 22.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // A tick's objects die with it: in a small young generation they are copied first. Measured 7 to 11 % of the CPU.
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    })
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()))
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'note') onNote(message.text)
        else if (message.kind === 'ready') resolve()
        else if (message.kind === 'failed') reject(toError(message.failure))
        else if (message.kind === 'reply') this.#settle(message.id, message.reply)
      })
      this.#worker.on('error', (cause) =>
        this.#die(`the store's ${name} thread failed: ${cause.message}`, cause),
      )
      this.#worker.on('exit', () => {
        this.#die(`the store's ${name} thread has ended; open the store again`)
        reject(this.#dead)
      })
    })
  }

  /** `onNote` hears what takes long before it is ready. */
  static async start(
    name: StoreThreadName,
    data: unknown,
    onNote: (text: string) => void = () => {},
  ): Promise<StoreThread> {
    const thread = new StoreThread(name, data, onNote)
    try {
      await thread.#ready
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
    return thread
  }

  get lost(): Promise<OuthookError> {
    return this.#lost.promise
  }

  /** Rejects with `store_unavailable` when the thread is gone, or goes before it answers. */
  request<Reply>(request: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    if (this.#dead !== null) return Promise.reject(this.#dead)
    const id = this.#nextId++
    return new Promise<Reply>((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject })
      this.#worker.postMessage({ kind: 'run', id, request } satisfies ToThread<unknown>, [...transfer])
    })
  }

  /** After what it was asked before. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#dead === null) this.#worker.postMessage({ kind: 'close' } satisfies ToThread<unknown>)
    await this.#exited
  }

  /** In the middle of what it was asked, which is rejected; `close` waits until it has ended. Not for a thread that writes. */
  cutOff(): void {
    this.#closing = true
    void this.#worker.terminate()
  }

  #settle(id: number, reply: unknown): void {
    const at = this.#waiting.findIndex((waiting) => waiting.id === id)
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(reply as never)
  }

  #die(message: string, cause?: unknown): void {
    this.#dead ??= new OuthookError('store_unavailable', message, { cause })
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead)
    if (!this.#closing) this.#lost.resolve(this.#dead)
  }
}
