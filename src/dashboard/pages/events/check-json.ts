/** As the server has it, in bytes. */
const maxBytes = 262_144

/** What is wrong with a payload that somebody types; null: nothing. Pure. */
export function checkJson(text: string): string | null {
  if (text.trim() === '') return 'Empty is no JSON; null is.'
  const size = new TextEncoder().encode(text).length
  if (size > maxBytes) return `It has ${size} bytes; ${maxBytes} are the most.`
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return `Not JSON yet: ${error instanceof Error ? error.message : String(error)}`
  }
}
