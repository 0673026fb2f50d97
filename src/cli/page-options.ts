import type { Command } from 'commander'
import { wholeNumber } from './option-values.ts'

export interface PageOptions {
  readonly limit?: number
  readonly cursor?: string
}

/** After the command's own filters. */
export function addPageOptions<C extends Command>(command: C): C {
  command
    .option('--limit <number>', 'how many at most, 1 to 200 (default 50)', wholeNumber(1, 200))
    .option('--cursor <cursor>', 'go on where the last page ended')
  return command
}

export function pageQuery(options: PageOptions): { limit: number | undefined; cursor: string | undefined } {
  return { limit: options.limit, cursor: options.cursor }
}
