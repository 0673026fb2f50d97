/** Lists come in pages; a call for one can be awaited, or gone through to its end. */

export interface Page<T> {
  readonly items: readonly T[]
  /** Empty at the end, and only there: a page may have fewer items than its limit, or none. */
  readonly nextCursor: string
}

/**
 * Awaited, it is one page. In `for await` it is all items, page after page. Nothing is asked for before either.
 *
 * @example
 * const { items } = await client.endpoints.list({ limit: 10 })
 * for await (const endpoint of client.endpoints.list()) console.log(endpoint.url)
 * for await (const page of client.endpoints.list({ limit: 200 }).pages()) console.log(page.items.length)
 */
export class PagePromise<T, P extends Page<T> = Page<T>> implements Promise<P>, AsyncIterable<T> {
  readonly [Symbol.toStringTag] = 'PagePromise'
  readonly #fetchPage: (cursor: string | null) => Promise<P>
  #first: Promise<P> | null = null

  constructor(fetchPage: (cursor: string | null) => Promise<P>) {
    this.#fetchPage = fetchPage
  }

  // biome-ignore lint/suspicious/noThenProperty: it is to be awaited.
  then<A = P, B = never>(
    onFulfilled?: ((page: P) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#start().then(onFulfilled, onRejected)
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<P | B> {
    return this.#start().catch(onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<P> {
    return this.#start().finally(onFinally)
  }

  #start(): Promise<P> {
    this.#first ??= this.#fetchPage(null)
    return this.#first
  }

  /** From the first page, or from the cursor that the call was given, to the end. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let page: P = await this
    yield page
    while (page.nextCursor !== '') {
      page = await this.#fetchPage(page.nextCursor)
      yield page
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const { items } of this.pages()) yield* items
  }
}
