/** What the query of an address says, with types: filters and selections are kept there, so that they can be shared. */

export interface UrlValue<T> {
  /** Null: the query has no such name. What cannot be read is as if it were not there. */
  read(text: string | null): T
  /** Null: it is left out, for it is what absence means. */
  write(value: T): string | null
}

export type UrlShape = Readonly<Record<string, UrlValue<unknown>>>
export type ValuesOf<S extends UrlShape> = {
  readonly [K in keyof S]: S[K] extends UrlValue<infer T> ? T : never
}

/** Empty where it is absent. */
export const text: UrlValue<string> = {
  read: (given) => given ?? '',
  write: (value) => (value === '' ? null : value),
}

export const flag: UrlValue<boolean> = {
  read: (given) => given === 'true',
  write: (value) => (value ? 'true' : null),
}

/** Of ids and the like, which have no commas. */
export const list: UrlValue<readonly string[]> = {
  read: (given) => (given === null ? [] : given.split(',').filter((one) => one !== '')),
  write: (value) => (value.length === 0 ? null : value.join(',')),
}

/** One of these words; the first is what absence means. */
export function oneOf<const W extends readonly [string, ...string[]]>(words: W): UrlValue<W[number]> {
  return {
    read: (given) => words.find((word) => word === given) ?? words[0],
    write: (value) => (value === words[0] ? null : value),
  }
}

export function readValues<S extends UrlShape>(shape: S, query: URLSearchParams): ValuesOf<S> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, value]) => [name, value.read(query.get(name))]),
  ) as ValuesOf<S>
}

/** The query with these values; what it says besides stays. */
export function writeValues<S extends UrlShape>(
  shape: S,
  query: URLSearchParams,
  values: Partial<ValuesOf<S>>,
): URLSearchParams {
  const written = new URLSearchParams(query)
  for (const [name, value] of Object.entries(values)) {
    const said = shape[name]?.write(value) ?? null
    if (said === null) written.delete(name)
    else written.set(name, said)
  }
  return written
}
