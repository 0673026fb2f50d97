/** The side of the process that holds the database: see `rescue-files.ts`. */
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { type Result, toFailure } from '../threads/tick.ts'
import { type RescuePaths, type RescueRequest, rescuePaths, writeMessage } from './rescue-files.ts'

const maxRequestBytes = 8192
const maxRescued = 1000

export interface RescueDeskOptions {
  /** Absolute. */
  readonly path: string
  /** Copies what the open connections see. */
  readonly copyTo: (targetFile: string) => Promise<Result>
}

export class RescueDesk {
  readonly #options: RescueDeskOptions
  readonly #paths: RescuePaths
  #working: Promise<void> | null = null
  #answering: { readonly id: string; beat: number } | null = null
  #rescued = false

  constructor(options: RescueDeskOptions) {
    this.#options = options
    this.#paths = rescuePaths(options.path)
  }

  /** A copy was made since the desk was opened. */
  get hasRescued(): boolean {
    return this.#rescued
  }

  /** Looks for a request. To be called again and again while the database is displaced. */
  look(): void {
    this.#mark()
    if (this.#answering !== null) {
      const { id, beat } = this.#answering
      this.#answering.beat++
      this.#answer({ id, state: 'working', beat })
      return
    }
    const request = this.#takeRequest()
    if (request === null) return
    this.#answering = { id: request.id, beat: 1 }
    this.#answer({ id: request.id, state: 'working', beat: 0 })
    this.#working = this.#serve(request)
  }

  /** Copies to a file beside the path whose name is free, and returns it. */
  async rescueBeside(): Promise<{ readonly file: string; readonly result: Result }> {
    await this.#working
    const file = freeName(`${this.#options.path}.rescued`)
    const result = await this.#copy(file)
    return { file, result }
  }

  /** Resolves when no copy is being made; nothing is answered any more. */
  async close(): Promise<void> {
    await this.#working
    rmSync(this.#paths.marker, { force: true })
  }

  async #serve({ id, targetFile }: RescueRequest): Promise<void> {
    const result = await this.#copy(targetFile)
    this.#answering = null
    this.#answer(result.ok ? { id, state: 'done' } : { id, state: 'failed', failure: result.failure })
    this.#working = null
  }

  async #copy(file: string): Promise<Result> {
    try {
      const result = await this.#options.copyTo(file)
      if (result.ok) this.#rescued = true
      return result
    } catch (error) {
      return { ok: false, failure: toFailure(error) }
    }
  }

  /** Only of this user or of root: whoever else may write there is not to have files written elsewhere. */
  #takeRequest(): RescueRequest | null {
    const { request } = this.#paths
    try {
      const found = lstatSync(request)
      const own = process.geteuid?.()
      const isTrusted = own === undefined || found.uid === own || found.uid === 0
      const text = found.isFile() && found.size <= maxRequestBytes ? readFileSync(request, 'utf8') : '{}'
      rmSync(request, { force: true })
      const { id, targetFile } = JSON.parse(text) as Partial<RescueRequest>
      if (!isTrusted || typeof id !== 'string' || typeof targetFile !== 'string') return null
      return isAbsolute(targetFile) ? { id, targetFile } : null
    } catch {
      // Mostly that there is none; what cannot be read is asked for again.
      return null
    }
  }

  /** The directory may be gone. */
  #mark(): void {
    try {
      writeFileSync(this.#paths.marker, `${process.pid}\n`, { mode: 0o600 })
    } catch {
      // Then a command finds nothing at the path, and asks without it.
    }
  }

  #answer(answer: Parameters<typeof writeMessage>[1]): void {
    try {
      writeMessage(this.#paths.answer, answer)
    } catch {
      // Whoever asked gives up after a while.
    }
  }
}

function freeName(wanted: string): string {
  if (!existsSync(wanted)) return wanted
  for (let no = 2; no < maxRescued; no++) if (!existsSync(`${wanted}-${no}`)) return `${wanted}-${no}`
  return `${wanted}-${maxRescued}`
}
