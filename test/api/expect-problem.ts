import { expect } from 'vitest'
import { type ErrorCode, errorTable } from '../../src/core/errors.ts'
import type { Answer } from './a-server.ts'

export interface ExpectedProblem {
  readonly status: number
  readonly code?: ErrorCode
  readonly title?: string
  /** The detail itself, a part of it, or a pattern. */
  readonly detail?: string | RegExp
}

/** Exactly the five members and a newline, a code of the table that belongs to the status, and a detail that somebody can act on. */
export function expectProblem(
  answer: Pick<Answer, 'status' | 'text' | 'headers'>,
  expected: ExpectedProblem,
): void {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: expected.status })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expectProblemText(answer.text, expected)
}

/** The same for what came over a raw socket: the whole answer, head and body. */
export function expectRawProblem(answer: string, expected: ExpectedProblem): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${expected.status} `))
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head.toLowerCase()).toContain('content-type: application/problem+json')
  expectProblemText(body, expected)
}

function expectProblemText(text: string, { status, code, title, detail }: ExpectedProblem): void {
  expect(text.endsWith('}\n')).toBe(true)
  const problem = JSON.parse(text) as Record<string, unknown>
  // The place in a payload stands with the one error that has one.
  const place = problem.code === 'payload_mismatch' ? ['path'] : []
  expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'detail', 'code', ...place])
  expect(problem).toMatchObject({ type: `/docs/errors/${problem.code}`, status })
  expect(errorTable[problem.code as ErrorCode]).toMatchObject({ status })
  if (code !== undefined) expect(problem.code).toBe(code)
  expect(typeof problem.title).toBe('string')
  expect(String(problem.detail).length).toBeGreaterThan(10)
  expect(String(problem.detail)).not.toMatch(/at \S+ \(|node_modules|\.ts:\d/)
  if (title !== undefined) expect(problem.title).toBe(title)
  if (detail !== undefined) expect(problem.detail).toEqual(expect.stringMatching(toPattern(detail)))
}

function toPattern(detail: string | RegExp): RegExp {
  return typeof detail === 'string' ? new RegExp(detail.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : detail
}
