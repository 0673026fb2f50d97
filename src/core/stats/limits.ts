/** What one may ask of figures at a time. */
export const statsLimits = {
  /** Endpoints whose last day is read. */
  endpoints: 200,
  /** Endpoints in trouble that are listed. */
  trouble: 100,
  troubleByDefault: 20,
} as const
