/** Whether no two items of a list are the same JSON value, in a time that grows with the list and not with its square. */
import type { CheckBudget } from './check-budget.ts'

export function hasOnlyUniqueItems(items: readonly unknown[], budget: Pick<CheckBudget, 'spend'>): boolean {
  const seen = new Set<string>()
  for (const item of items) {
    const text = canonicalText(item, budget)
    if (seen.has(text)) return false
    seen.add(text)
  }
  return true
}

/** The same for equal values, whatever the order of their members. */
function canonicalText(value: unknown, budget: Pick<CheckBudget, 'spend'>): string {
  if (typeof value !== 'object' || value === null) {
    const text = JSON.stringify(value)
    budget.spend(4 + (text.length >> 4))
    return text
  }
  budget.spend(10)
  if (Array.isArray(value)) return `[${value.map((each) => canonicalText(each, budget)).join()}]`
  const members = value as Readonly<Record<string, unknown>>
  const names = Object.keys(members).sort()
  budget.spend(names.length * 6)
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalText(members[name], budget)}`).join()}}`
}
