type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

export type CamelMembers<T> = { -readonly [K in keyof T as Camel<K & string>]: T[K] }

/** The members under their names in the code: `max_in_flight` is `maxInFlight`. Values are left alone. */
export function camelMembers<T extends object>(body: T): CamelMembers<T> {
  const renamed = Object.entries(body).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
    value,
  ])
  return Object.fromEntries(renamed) as CamelMembers<T>
}
