/** What happens to a message beyond Discord's limits. */
import { countCodePoints, cutCodePoints } from '../core/code-points.ts'
import { OuthookError } from '../core/errors.ts'

/** `error`: the message is not sent, and the result names the limit. `truncate`: it is cut to fit. */
export type OnLimit = 'error' | 'truncate'

/** Cuts, or collects what is wrong, as it was told. */
export class LimitKeeper {
  readonly onLimit: OnLimit
  readonly #problems: string[] = []

  constructor(onLimit: OnLimit) {
    this.onLimit = onLimit
  }

  text(path: string, value: unknown, maxChars: number): string {
    const text = typeof value === 'string' ? value : textOf(value)
    if (text === null) {
      this.refuse(`${path} is not text; give it as a string`)
      return ''
    }
    const chars = countCodePoints(text)
    if (chars <= maxChars) return text
    if (this.onLimit === 'truncate') return cutCodePoints(text, maxChars)
    this.tooLong(path, chars, maxChars)
    return text
  }

  /** The first `max`. */
  list<T>(path: string, values: readonly T[], max: number): readonly T[] {
    if (values.length <= max) return values
    if (this.onLimit === 'truncate') return values.slice(0, max)
    this.refuse(`${path} has ${values.length} entries and Discord takes ${max}; ${remedy}`)
    return values
  }

  tooLong(path: string, chars: number, max: number): void {
    this.refuse(`${path} has ${chars} characters and Discord takes ${max}; ${remedy}`)
  }

  /** What cannot be mended by cutting. */
  refuse(problem: string): void {
    this.#problems.push(problem)
  }

  /** Errors: invalid_payload. */
  throwProblems(): void {
    if (this.#problems.length > 0) throw new OuthookError('invalid_payload', this.#problems.join('. '))
  }
}

const remedy = "shorten it, or set onLimit: 'truncate'"

function textOf(value: unknown): string | null {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}
