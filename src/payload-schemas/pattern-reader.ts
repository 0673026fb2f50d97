/** From the text of a regular expression, whose syntax is right, to its parts. */

export type Node =
  | { readonly kind: 'character'; readonly matches: (codePoint: number) => boolean }
  | { readonly kind: 'place'; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly ways: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number }

/** Why an expression cannot be used, as the end of a sentence that names it. */
export class PatternRefused extends Error {}

export class PatternReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  read(): Node {
    const ways = [this.#readSequence()]
    while (this.#takes('|')) ways.push(this.#readSequence())
    return ways.length === 1 ? (ways[0] as Node) : { kind: 'choice', ways }
  }

  #readSequence(): Node {
    const parts: Node[] = []
    for (let next = this.#source[this.#at]; next !== undefined && next !== '|' && next !== ')'; ) {
      parts.push(this.#readRepeated(this.#readPart(next)))
      next = this.#source[this.#at]
    }
    return { kind: 'sequence', parts }
  }

  #readPart(next: string): Node {
    switch (next) {
      case '^':
        this.#at += 1
        return { kind: 'place', holds: (_text, at) => at === 0 }
      case '$':
        this.#at += 1
        return { kind: 'place', holds: (text, at) => at === text.length }
      case '(':
        return this.#readGroup()
      case '[':
        return this.#readClass()
      case '\\':
        return this.#readEscape()
      case '.':
        this.#at += 1
        return classOf('.')
      default: {
        const codePoint = this.#source.codePointAt(this.#at) as number
        this.#at += codePoint > 0xffff ? 2 : 1
        return { kind: 'character', matches: (given) => given === codePoint }
      }
    }
  }

  #readGroup(): Node {
    const [opening = ''] = /^\((?:\?(?::|<(?![=!])[^>]*>|[^:]*))?/su.exec(this.#source.slice(this.#at)) ?? []
    if (opening !== '(' && opening !== '(?:' && !opening.endsWith('>')) {
      throw new PatternRefused(
        'looks ahead or behind, or changes flags, which no check can do in a time that is known',
      )
    }
    this.#at += opening.length
    const inner = this.read()
    this.#at += 1
    return inner
  }

  #readClass(): Node {
    let end = this.#at + 1
    for (; this.#source[end] !== ']'; end++) if (this.#source[end] === '\\') end += 1
    return this.#takeClass(end + 1)
  }

  #readEscape(): Node {
    const rest = this.#source.slice(this.#at)
    if (/^\\[1-9k]/.test(rest)) {
      throw new PatternRefused('refers back to a group, which no check can do in a time that is known')
    }
    if (rest.startsWith('\\b') || rest.startsWith('\\B')) {
      const isBoundary = rest[1] === 'b'
      this.#at += 2
      return { kind: 'place', holds: (text, at) => isWordBoundary(text, at) === isBoundary }
    }
    const [escaped = ''] =
      /^\\(?:[pPu]\{[^}]*\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|.)/su.exec(
        rest,
      ) ?? []
    return this.#takeClass(this.#at + escaped.length)
  }

  #takeClass(end: number): Node {
    const text = this.#source.slice(this.#at, end)
    this.#at = end
    return classOf(text)
  }

  #readRepeated(part: Node): Node {
    const found = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#source.slice(this.#at))
    if (found === null) return part
    const [sign] = found
    this.#at += sign.length
    // Whether it takes as much or as little as it can says nothing of whether there is a match.
    this.#takes('?')
    return { kind: 'repeat', part, ...boundsOf(sign) }
  }

  #takes(character: string): boolean {
    if (this.#source[this.#at] !== character) return false
    this.#at += 1
    return true
  }
}

function boundsOf(sign: string): { readonly least: number; readonly most: number } {
  if (sign === '*') return { least: 0, most: Number.POSITIVE_INFINITY }
  if (sign === '+') return { least: 1, most: Number.POSITIVE_INFINITY }
  if (sign === '?') return { least: 0, most: 1 }
  const [least = '0', most] = sign.slice(1, -1).split(',')
  if (most === undefined) return { least: Number(least), most: Number(least) }
  return { least: Number(least), most: most === '' ? Number.POSITIVE_INFINITY : Number(most) }
}

function isWordBoundary(text: string, at: number): boolean {
  return isWordCharacter(text[at - 1]) !== isWordCharacter(text[at])
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /^\w$/.test(character)
}

/** What stands for one character, as the engine of JavaScript understands it, which is asked once for each of ASCII. */
function classOf(text: string): Node {
  let expression: RegExp | null = null
  const ascii: (boolean | undefined)[] = []
  const ask = (codePoint: number): boolean => {
    expression ??= new RegExp(`^${text}$`, 'u')
    return expression.test(String.fromCodePoint(codePoint))
  }
  return {
    kind: 'character',
    matches: (codePoint) => {
      if (codePoint >= 128) return ask(codePoint)
      ascii[codePoint] ??= ask(codePoint)
      return ascii[codePoint]
    },
  }
}
