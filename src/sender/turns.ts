/**
 * Turns of the event loop, in which answers are read, counted by one `setImmediate` a turn for everybody who asks:
 * for each request two of its own took more than 1 µs.
 */
export class Turns<T> {
  readonly #onDue: (item: T) => void
  #current = 0
  #isCounting = false
  #next: T[] = []
  #nextButOne: T[] = []

  /** `onDue` hears of what was put off, in the turn that it was put off to. */
  constructor(onDue: (item: T) => void) {
    this.#onDue = onDue
  }

  /** The number of this turn. */
  get current(): number {
    this.#count()
    return this.#current
  }

  /** Puts off to the end of the turn after this one. */
  putOff(item: T): void {
    this.#nextButOne.push(item)
    this.#count()
  }

  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => this.#moveOn())
  }

  #moveOn(): void {
    const due = this.#next
    this.#next = this.#nextButOne
    this.#nextButOne = []
    this.#current++
    this.#isCounting = false
    if (this.#next.length > 0) this.#count()
    for (const item of due) this.#onDue(item)
  }
}
