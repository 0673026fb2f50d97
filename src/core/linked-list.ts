/**
 * A list out of which each entry can be taken at once, for what comes and goes with every request.
 *
 * A `Set` would do the same, but V8 leaves each table that a set has outgrown linked to the next one. As soon as one of
 * these tables counts as old, all that come after it stay reachable until the next full collection, with whatever was in
 * them when they were replaced: of 40 requests at a time, that is most of all there ever are.
 */

interface Link<T> {
  readonly value: T | null
  before: Link<T>
  after: Link<T>
}

export class LinkedList<T> {
  /** Stands before the first entry and after the last. */
  readonly #ends: Link<T> = linkOf<T>(null)

  get isEmpty(): boolean {
    return this.#ends.after === this.#ends
  }

  /** At the end. The returned function takes it out, and can be called twice. */
  add(value: T): () => void {
    const link = linkOf(value)
    const ends = this.#ends
    link.before = ends.before
    link.after = ends
    ends.before.after = link
    ends.before = link
    return () => takeOut(link)
  }

  /** Those that are in it now, in their order. */
  values(): T[] {
    const values: T[] = []
    for (let link = this.#ends.after; link !== this.#ends; link = link.after) values.push(link.value as T)
    return values
  }
}

function linkOf<T>(value: T | null): Link<T> {
  const link = { value } as Link<T>
  link.before = link
  link.after = link
  return link
}

/** It is left with no way to its neighbours, so that it keeps nobody. */
function takeOut(link: Link<unknown>): void {
  link.before.after = link.after
  link.after.before = link.before
  link.before = link
  link.after = link
}
