import type { CallOptions, TestServer } from './a-server.ts'
import { type ExpectedProblem, expectProblem } from './expect-problem.ts'

/** One row of a table of hostile requests: what is sent, and the problem that must come back. */
export type Case = readonly [
  name: string,
  method: string,
  path: string,
  options: CallOptions,
  expected: ExpectedProblem,
]

export async function checkCase(
  server: TestServer,
  [, method, path, options, expected]: Case,
): Promise<void> {
  expectProblem(await server.call(method, path, options), expected)
}

export const invalidBody = (detail: string | RegExp): ExpectedProblem => ({
  status: 400,
  title: 'invalid body',
  detail,
})
