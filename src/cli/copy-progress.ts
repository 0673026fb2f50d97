/** How far a copy has got: a bar that stays on its line of a terminal, a line now and then elsewhere. */
import type { Clock } from '../core/clock.ts'
import type { CopyProgress } from '../migrate-store.ts'
import type { CliIo } from './io.ts'

const barWidth = 24
const barEveryMs = 100
const lineEveryMs = 5000

export interface ShownProgress {
  show(progress: CopyProgress): void
  /** Ends the bar's line. */
  end(): void
}

/** `io` null: nothing is shown. */
export function showCopyProgress(
  io: Pick<CliIo, 'isTerminal' | 'print' | 'printBytes'> | null,
  clock: Pick<Clock, 'elapsed'>,
): ShownProgress {
  const start = clock.elapsed()
  let shownAt = start
  let barShown = false
  return {
    show(progress) {
      if (io === null) return
      const now = clock.elapsed()
      const isLast = progress.totalRows === progress.ofTotalRows
      if (!isLast && now - shownAt < (io.isTerminal ? barEveryMs : lineEveryMs)) return
      shownAt = now
      const rate = Math.round((progress.written * 1000) / Math.max(now - start, 1))
      if (!io.isTerminal) {
        io.print(renderLine(progress, rate))
        return
      }
      barShown = true
      // To the beginning of the line, and what was there is erased.
      io.printBytes(new TextEncoder().encode(`\r\u001b[2K${renderBar(progress, rate)}`))
    },
    end() {
      if (barShown) io?.print('')
    },
  }
}

function renderBar(progress: CopyProgress, rate: number): string {
  const done = progress.totalRows / Math.max(progress.ofTotalRows, 1)
  const filled = Math.floor(done * barWidth)
  const bar = '#'.repeat(filled) + '-'.repeat(barWidth - filled)
  return `[${bar}] ${Math.floor(done * 100)}% ${renderLine(progress, rate)}`
}

function renderLine({ table, rows, ofRows, totalRows, ofTotalRows }: CopyProgress, rate: number): string {
  return `${table} ${rows} of ${ofRows}, all ${totalRows} of ${ofTotalRows} rows, ${rate} rows/s`
}
