import type { Actor } from '../../src/core/audit.ts'

/** Who makes the writes of a test's store: nobody, unless the test says who. */
export const acting: { actor: Actor | null } = { actor: null }
