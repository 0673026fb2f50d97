/**
 * Flat lists of values, in which messages travel between the threads: to clone an object with its member names costs a
 * thread twice as much as its values in a row. Larger bytes travel apart (`packed-bytes.ts`), in the same order.
 */

export type FlatList = unknown[]

/**
 * Texts that come again and again in one list, such as the ids of a tenant and its endpoints: each goes once, and is a
 * number after that. The thread that reads them has one string for all, whose hash it works out once.
 */
export class SharedTexts {
  readonly #numbers = new Map<string, number>()

  push(list: FlatList, text: string | null): void {
    const number = text === null ? undefined : this.#numbers.get(text)
    if (text !== null && number === undefined) this.#numbers.set(text, this.#numbers.size)
    list.push(number ?? text)
  }
}

/** Takes the values of a list one by one. */
export class FlatReader {
  readonly #list: FlatList
  readonly #texts: string[] = []
  #at = 0

  constructor(list: FlatList) {
    this.#list = list
  }

  next<Value>(): Value {
    return this.#list[this.#at++] as Value
  }

  /** What `SharedTexts` put there. */
  nextText<Text extends string | null>(): Text {
    const value = this.next<Text | number>()
    if (typeof value === 'number') return this.#texts[value] as Text
    if (value !== null) this.#texts.push(value)
    return value
  }

  /** A list within the list: its length, then its items. */
  many<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.next<number>(); left > 0; left--) items.push(read())
    return items
  }
}
