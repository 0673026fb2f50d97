import type { Command } from 'commander'
import type { Page } from '../client/resources.ts'
import { wholeNumber } from './option-values.ts'

export interface PageOptions {
  readonly limit?: number
  readonly cursor?: string
}

interface PageQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

const defaultLimit = 50

/**
 * As many items as are asked for, or all that there are. The server may end a page early, or show none on it, where few
 * rows of very many match; whoever asks for "the newest 50" wants them nevertheless.
 */
export async function fillPage<T, Q extends PageQuery>(
  list: (query: Q) => PromiseLike<Page<T>>,
  query: Q,
): Promise<Page<T>> {
  const { limit = defaultLimit } = query
  let page = await list(query)
  while (page.items.length < limit && page.nextCursor !== '') {
    const rest = limit - page.items.length
    const next = await list({ ...query, limit: rest, cursor: page.nextCursor })
    page = { ...next, items: [...page.items, ...next.items] }
  }
  return page
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
