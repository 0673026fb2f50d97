/** The name or the path of one that runs; null: there is none. */
export function findBrowser(): string | null
