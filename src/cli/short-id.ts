/** Ids in tables: `dlv_01m80y84v4fxz8pjab7can9tf7` is shown as `dlv_…7can9tf7`, and taken so by the commands too. */
import type { Page } from '../client/resources.ts'
import { NotFoundError } from './exit-codes.ts'

/** 40 bits, all of them random: two of a million ids are alike with a chance of one in two. */
const tailChars = 8
const wholeId = /^([a-z]+)_[0-9a-hjkmnp-tv-z]{26}$/
const shortId = /^[a-z]+_(?:…|\.{2,3})([0-9a-z]{4,})$/i
const pageSize = 200
const maxItems = 2000

export function shortenId(id: string): string {
  const prefix = wholeId.exec(id)?.[1]
  return prefix === undefined ? id : `${prefix}_…${id.slice(-tailChars)}`
}

type IdQuery = { readonly limit: number; readonly cursor: string | undefined }

export interface Identified {
  /** `id`, or that by which the rows of this list are named. */
  readonly id: string
}

/** The whole id of a short one, looked for among the newest of a list. Whatever is no short id comes back as it is. */
export async function resolveId(
  text: string,
  list: (query: IdQuery) => Promise<Page<Identified>>,
): Promise<string> {
  const tail = shortId.exec(text)?.[1]?.toLowerCase()
  if (tail === undefined) return text
  const found = new Set<string>()
  let cursor: string | undefined
  for (let items = 0; items < maxItems && cursor !== ''; ) {
    const page: Page<Identified> = await list({ limit: pageSize, cursor })
    items += page.items.length
    for (const { id } of page.items) if (id.endsWith(tail)) found.add(id)
    cursor = page.nextCursor
  }
  const [id] = found
  if (id !== undefined && found.size === 1) return id
  const problem =
    id === undefined
      ? `nothing among the newest ${maxItems} is called ${text}`
      : `${text} may be any of ${[...found].join(', ')}`
  throw new NotFoundError(`${problem}; give the whole id, which --json shows`)
}
