/**
 * How long a test waits for a condition that has to come true: shorter than the test's own limit, so that what is
 * missing is said, and longer than any machine should need, so that a busy one does not fail.
 */
export const patienceMs = 60_000
