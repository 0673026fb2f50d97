/** Which sentences of a refusal are about which field of a form. */

export interface PlacedErrors {
  /** By the name of the field, as the API calls it. */
  readonly byField: Readonly<Record<string, string>>
  /** Null: each sentence has found its field. */
  readonly rest: string | null
}

/**
 * The server's details name members as its JSON does, several sentences with semicolons between them. A sentence belongs
 * to the field that it begins with, or else to the one that it names first.
 */
export function placeErrors(detail: string, fields: readonly string[]): PlacedErrors {
  const byField: Record<string, string> = {}
  const rest: string[] = []
  let last: string | null = null
  for (const sentence of detail.split('; ')) {
    const field: string | null = fieldOf(sentence, fields)
    // What follows without a name says what to do about what came before.
    const place: string | null = field ?? last
    if (place === null) rest.push(sentence)
    else byField[place] = byField[place] === undefined ? sentence : `${byField[place]}; ${sentence}`
    last = place
  }
  return { byField, rest: rest.length === 0 ? null : rest.join('; ') }
}

function fieldOf(sentence: string, fields: readonly string[]): string | null {
  let found: string | null = null
  let foundAt = Number.POSITIVE_INFINITY
  for (const field of fields) {
    const at = sentence.search(new RegExp(`(?<![\\w-])${field.replace(/[^\w-]/g, '\\$&')}(?![\\w-])`))
    const isLonger = at === foundAt && field.length > (found?.length ?? 0)
    if (at !== -1 && (at < foundAt || isLonger)) {
      found = field
      foundAt = at
    }
  }
  return found
}
