/**
 * Regular expressions of schemas, in a time that grows with the text and the expression and with nothing else. The
 * engine of JavaScript goes back and tries again, and takes for ever over "^(a+)+$" and thirty letters; this one follows
 * all ways at once (Thompson's construction), and each step of each way is paid for.
 *
 * What single characters mean (classes, `\p{…}`, `.`) the engine of JavaScript still says, which cannot go back over one
 * character. What only going back can do is refused: back references, looking ahead and behind.
 */
import type { CheckBudget } from './check-budget.ts'
import { type Node, PatternReader, PatternRefused } from './pattern-reader.ts'

export { PatternRefused } from './pattern-reader.ts'

export const maxPatternChars = 1000
/** A repetition such as `{500}` takes one step for each. */
const maxSteps = 2000

/** One character, two ways on, a place in the text, or the end. */
type Step =
  | { readonly kind: 'character'; readonly matches: (codePoint: number) => boolean }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'place'; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: 'end' }

export class Pattern {
  readonly #steps: readonly Step[]
  /** By step, at which position it was entered last. */
  readonly #entered: Int32Array
  readonly #budget: Pick<CheckBudget, 'spend'>

  /** Throws a `PatternRefused`. */
  constructor(source: string, budget: Pick<CheckBudget, 'spend'>) {
    if (source.length > maxPatternChars) {
      throw new PatternRefused(`is longer than ${maxPatternChars} characters`)
    }
    checkSyntax(source)
    this.#steps = toSteps(new PatternReader(source).read())
    this.#entered = new Int32Array(this.#steps.length)
    this.#budget = budget
  }

  /** Whether some part of the text matches, as `RegExp.prototype.test` with the flag `u` says. */
  test(text: string): boolean {
    this.#entered.fill(-1)
    let ways: number[] = []
    for (let at = 0; ; ) {
      // A match may begin here.
      if (this.#enter(0, { text, at, ways })) return true
      const codePoint = text.codePointAt(at)
      if (codePoint === undefined) return false
      const next = at + (codePoint > 0xffff ? 2 : 1)
      const on: number[] = []
      this.#budget.spend(1 + ways.length)
      for (const way of ways) {
        const step = this.#steps[way]
        if (step?.kind !== 'character' || !step.matches(codePoint)) continue
        if (this.#enter(way + 1, { text, at: next, ways: on })) return true
      }
      ways = on
      at = next
    }
  }

  /** Follows whatever takes no character. True: the end is reached. */
  #enter(first: number, { text, at, ways }: Position): boolean {
    const waiting = [first]
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (this.#entered[index] === at) continue
      this.#entered[index] = at
      this.#budget.spend(1)
      const step = this.#steps[index] as Step
      if (step.kind === 'end') return true
      if (step.kind === 'character') ways.push(index)
      else if (step.kind === 'split') waiting.push(...step.to)
      else if (step.holds(text, at)) waiting.push(index + 1)
    }
    return false
  }
}

interface Position {
  readonly text: string
  readonly at: number
  readonly ways: number[]
}

function checkSyntax(source: string): void {
  try {
    new RegExp(source, 'u')
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: .*: /s, '')
    throw new PatternRefused(`is no regular expression: ${reason}`)
  }
}

function toSteps(node: Node): readonly Step[] {
  const steps: Step[] = []
  write(node, steps)
  steps.push({ kind: 'end' })
  return steps
}

function write(node: Node, steps: Step[]): void {
  if (steps.length > maxSteps)
    throw new PatternRefused('repeats too much; a bound such as {500} counts that often')
  switch (node.kind) {
    case 'character':
    case 'place':
      steps.push(node)
      return
    case 'sequence':
      for (const part of node.parts) write(part, steps)
      return
    case 'choice':
      writeChoice(node.ways, steps)
      return
    case 'repeat':
      writeRepeat(node, steps)
      return
  }
}

function writeChoice(ways: readonly Node[], steps: Step[]): void {
  const starts: number[] = []
  const ends: number[] = []
  const splitAt = steps.push({ kind: 'split', to: starts }) - 1
  for (const way of ways) {
    starts.push(steps.length)
    write(way, steps)
    ends.push(steps.push({ kind: 'split', to: [] }) - 1)
  }
  steps[splitAt] = { kind: 'split', to: starts }
  for (const end of ends) steps[end] = { kind: 'split', to: [steps.length] }
}

function writeRepeat({ part, least, most }: Extract<Node, { kind: 'repeat' }>, steps: Step[]): void {
  const rounds = most === Number.POSITIVE_INFINITY ? least : most
  if (rounds > maxSteps) throw new PatternRefused('repeats too much; a bound such as {500} counts that often')
  const skips: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = steps.length
    if (round >= least) skips.push(steps.push({ kind: 'split', to: [] }) - 1)
    write(part, steps)
    // However often nothing is repeated, it stays nothing.
    if (steps.length === before) break
  }
  if (most === Number.POSITIVE_INFINITY) {
    const splitAt = steps.push({ kind: 'split', to: [] }) - 1
    write(part, steps)
    steps.push({ kind: 'split', to: [splitAt] })
    steps[splitAt] = { kind: 'split', to: [splitAt + 1, steps.length] }
  }
  for (const skip of skips) steps[skip] = { kind: 'split', to: [skip + 1, steps.length] }
}
