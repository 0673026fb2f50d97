/** Watches over the files of an open database, and rescues what they hold when they are no longer at their paths. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import { RescueDesk } from '../copy/rescue-desk.ts'
import type { StoreService } from '../threads/store-thread.ts'
import type { Result } from '../threads/tick.ts'
import { FileWatch } from './file-watch.ts'
import type { CopyRequest } from './open-reader.ts'
import type { StoreGuard } from './store-guard.ts'

export interface DisplacementsOptions {
  /** Absolute. */
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  readonly guard: Pick<StoreGuard, 'setDisplacement'>
  /** Its connection sees what the paths no longer lead to. */
  readonly reader: StoreService
}

export class Displacements {
  readonly #options: DisplacementsOptions
  readonly #watch: FileWatch
  #desk: RescueDesk | null = null

  constructor(options: DisplacementsOptions) {
    this.#options = options
    const { path, clock, guard, reader } = options
    this.#watch = new FileWatch(path, {
      clock,
      onChange: (displacement) => {
        guard.setDisplacement(displacement)
        const copyTo = (file: string) => reader.request<Result>({ copyTo: file } satisfies CopyRequest)
        const before = this.#desk
        this.#desk = displacement?.losesData === true ? new RescueDesk({ path, copyTo }) : null
        void before?.close()
      },
      onLook: () => this.#desk?.look(),
    })
  }

  /** What nobody has rescued is copied to a place beside the path first: nothing else would be left of it. */
  async close(): Promise<void> {
    await this.#watch.stop()
    const desk = this.#desk
    if (desk === null) return
    if (!desk.hasRescued) await this.#rescueBeside(desk)
    await desk.close()
  }

  async #rescueBeside(desk: RescueDesk): Promise<void> {
    const { path, logger } = this.#options
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      const { file, result } = await desk.rescueBeside()
      if (!result.ok) throw new Error(result.failure.message)
      logger.error(
        { store: path, file },
        `what the displaced database held was copied to ${file}; put it in the place of ${path} before the next start`,
      )
    } catch (error) {
      logger.error({ store: path, err: error }, 'what the displaced database held could not be rescued')
    }
  }
}
