/** How far something long has got: a bar that stays on its line of a terminal, a line now and then elsewhere. */
import { createSystemClock } from '../core/clock.ts'
import type { CliIo } from './io.ts'

/** It is asked for this often. */
export const followMs = 250
const barWidth = 24
const lineEveryMs = 5000

export interface Progress {
  /** 0 to 1; null: not known yet. */
  readonly share: number | null
  readonly line: string
}

export interface Bar {
  show(progress: Progress): void
  end(): void
}

export function createBar(io: Pick<CliIo, 'isTerminal' | 'print' | 'printBytes'>): Bar {
  const clock = createSystemClock()
  let lineAt = clock.elapsed()
  return {
    show(progress) {
      if (io.isTerminal) {
        // To the beginning of the line, and what was there is erased.
        io.printBytes(new TextEncoder().encode(`\r\u001b[2K${render(progress)}`))
        return
      }
      if (clock.elapsed() - lineAt < lineEveryMs) return
      lineAt = clock.elapsed()
      io.print(progress.line)
    },
    end() {
      if (io.isTerminal) io.print('')
    },
  }
}

function render({ share, line }: Progress): string {
  if (share === null) return line
  const filled = Math.floor(share * barWidth)
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${Math.floor(share * 100)}% ${line}`
}
