/** Keywords whose check by the library takes longer than it has to: with the square of a list, or all of a long text. */
import type { Ajv2020 } from '../bundled/ajv.ts'
import type { CheckBudget } from './check-budget.ts'
import { hasOnlyUniqueItems } from './unique-items.ts'

type Budget = Pick<CheckBudget, 'spend'>

export function addOwnKeywords(ajv: Ajv2020, budget: Budget): void {
  replace(ajv, {
    keyword: 'uniqueItems',
    type: 'array',
    message: 'must not have two items that are the same',
    holds: (wanted, items) => wanted !== true || hasOnlyUniqueItems(items as readonly unknown[], budget),
  })
  replace(ajv, {
    keyword: 'maxLength',
    type: 'string',
    message: 'is too long',
    holds: (most, text) => !isLonger(text as string, most as number, budget),
  })
  replace(ajv, {
    keyword: 'minLength',
    type: 'string',
    message: 'is too short',
    holds: (least, text) => isLonger(text as string, (least as number) - 1, budget),
  })
}

interface OwnKeyword {
  readonly keyword: string
  readonly type: 'array' | 'string'
  readonly message: string
  readonly holds: (limit: unknown, data: unknown) => boolean
}

function replace(ajv: Ajv2020, { keyword, type, message, holds }: OwnKeyword): void {
  ajv.removeKeyword(keyword)
  ajv.addKeyword({ keyword, type, errors: false, error: { message }, validate: holds })
}

/** In code points. Counted only where the number of code units does not say it already. */
function isLonger(text: string, chars: number, budget: Budget): boolean {
  if (text.length <= chars) return false
  if (text.length > 2 * chars) return true
  budget.spend(text.length >> 3)
  let count = 0
  for (let at = 0; at < text.length; at++) {
    count += 1
    if ((text.codePointAt(at) as number) > 0xffff) at += 1
  }
  return count > chars
}
