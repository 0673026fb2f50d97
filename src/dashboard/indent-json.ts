/** Deeper than people write. Lines would begin with more and more spaces, until the browser has no memory left. */
const maxDepth = 100

/**
 * JSON with line breaks, and every token as it was written: numbers keep their digits, and members that are there twice
 * stay. Null: it is no JSON, or goes deeper than anybody reads. Pure.
 */
export function indentJson(text: string): string | null {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  let out = ''
  let depth = 0
  const lineBreak = () => `\n${'  '.repeat(depth)}`
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const last = out.at(-1)
    const isFirstInside = last === '{' || last === '['
    if (token === '}' || token === ']') {
      depth -= 1
      out += isFirstInside ? token : lineBreak() + token
      continue
    }
    if (isFirstInside) out += lineBreak()
    if (token === '{' || token === '[') depth += 1
    if (depth > maxDepth) return null
    out += token === ',' ? `,${lineBreak()}` : token === ':' ? ': ' : token
  }
  return out
}
