/**
 * Whether the files that are open are still the ones at their paths. A database that was deleted, moved or replaced
 * goes on working for whoever has it open, and all that is written to it is gone when the process ends.
 *
 *     in place ── a path leads nowhere, or to another file ──► moved
 *         ▲                                                      │
 *         └──────── every path leads to its file again ──────────┘
 */
import type { BigIntStats } from 'node:fs'
import { realpathSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Clock } from '../../../core/clock.ts'

const lookEveryMs = 1000

interface WatchedFile {
  readonly path: string
  readonly identity: string
  /** What it holds is lost with it. */
  readonly holdsData: boolean
}

export interface Displacement {
  /** The first path that does not lead to its file. */
  readonly path: string
  readonly state: 'gone' | 'another file'
  /** Not the lock file alone. */
  readonly losesData: boolean
}

export interface FileWatchOptions {
  readonly clock: Clock
  /** Null: all is in its place again. */
  readonly onChange: (displacement: Displacement | null) => void
  /** Each time that it has looked. */
  readonly onLook: () => void
}

export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #files: readonly WatchedFile[]
  #found: Displacement | null = null
  #stopped = false
  #cancel: (() => void) | null = null
  #looking: Promise<void> = Promise.resolve()

  /** To be made once the files are open. The paths hold whatever directory the process changes to later. */
  constructor(path: string, options: FileWatchOptions) {
    this.#options = options
    const given = resolve(path)
    const real = resolveLinks(given)
    const data = [given, `${real}-wal`, `${real}-shm`].map((each) => watched(each, true))
    this.#files = [...data, watched(`${real}.lock`, false)].filter((file) => file !== null)
    this.#schedule()
  }

  /** After one last look. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#looking
    await this.#look()
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.schedule(lookEveryMs, () => {
      this.#looking = this.#look().finally(() => {
        if (!this.#stopped) this.#schedule()
      })
    })
  }

  async #look(): Promise<void> {
    const states = await Promise.all(this.#files.map(lookAt))
    const lost = this.#files.flatMap((file, index) => {
      const state = states[index]
      return state === undefined || state === 'in place' ? [] : [{ ...file, state }]
    })
    const [first] = lost
    const found =
      first === undefined
        ? null
        : { path: first.path, state: first.state, losesData: lost.some(({ holdsData }) => holdsData) }
    const isChange = (found === null) !== (this.#found === null)
    this.#found = found
    if (isChange) this.#options.onChange(found)
    this.#options.onLook()
  }
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function watched(path: string, holdsData: boolean): WatchedFile | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? null : { path, identity: identityOf(found), holdsData }
}

async function lookAt({ path, identity }: WatchedFile): Promise<'in place' | Displacement['state']> {
  try {
    return identityOf(await stat(path, { bigint: true })) === identity ? 'in place' : 'another file'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Whoever may not look, or gets no answer from a file server, knows nothing new.
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'in place'
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}
