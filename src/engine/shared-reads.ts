/** Reads that many ask for again and again: for a moment one answer is everybody's, so that many who look cost one read. */
import type { Clock } from '../core/clock.ts'

/** Distinct reads that are remembered; of more the oldest is forgotten, and is read once more than needed. */
const maxRemembered = 256

interface Remembered {
  readonly answer: Promise<unknown>
  /** On the elapsed scale. */
  readonly until: number
}

export class SharedReads {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #remembered = new Map<string, Remembered>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** @param key says everything that the answer depends on. What fails is nobody's answer but of those who wait for it. */
  read<Answer>(key: string, keepMs: number, read: () => Promise<Answer>): Promise<Answer> {
    const now = this.#clock.elapsed()
    const known = this.#remembered.get(key)
    if (known !== undefined && known.until > now) return known.answer as Promise<Answer>
    const answer = read()
    const remembered: Remembered = { answer, until: now + keepMs }
    this.#remembered.delete(key)
    this.#remembered.set(key, remembered)
    answer.catch(() => {
      if (this.#remembered.get(key) === remembered) this.#remembered.delete(key)
    })
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest)
    return answer
  }
}
