import { describe, expect, test } from 'vitest'
import type { LoggerOptions } from '../../src/observability/log.ts'
import { createLogger } from '../../src/observability/log.ts'

function aLogger(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  return { lines, log: createLogger({ level: 'debug', format: 'json', destination, ...options }) }
}

describe('the log', () => {
  test('writes one JSON object per line', () => {
    const { lines, log } = aLogger()
    log.info({ endpoint_id: 'ep_1', http_status: 200 }, 'delivery attempted')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^\{.*\}\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      endpoint_id: 'ep_1',
      http_status: 200,
      message: 'delivery attempted',
    })
  })

  test.each([
    'authorization',
    'Authorization',
    'secret',
    'token',
    'password',
    'master_key',
    'api_key',
    'cookie',
  ])('does not write the value of %s, three levels down neither', (name) => {
    const { lines, log } = aLogger()
    log.warn({ [name]: 's3cr3t', headers: { [name]: 's3cr3t', deeper: { [name]: 's3cr3t' } } }, 'refused')
    expect(lines[0]).not.toContain('s3cr3t')
    expect(lines[0]).toContain('[redacted]')
  })

  test('leaves out what is below its level', () => {
    const { lines, log } = aLogger({ level: 'warn' })
    log.info({}, 'quiet')
    log.warn({}, 'loud')
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['loud'])
  })

  test('writes errors with their stack and cause', () => {
    const { lines, log } = aLogger()
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')
    expect(JSON.parse(lines[0] ?? '').err.stack).toMatch(/outer[\s\S]*inner/)
  })

  test('for people writes a short line, quoting what has spaces', () => {
    const { lines, log } = aLogger({ format: 'pretty' })
    log.warn({ endpoint_id: 'ep_1', why: 'no route' }, 'endpoint paused')
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}endpoint paused {2}endpoint_id=ep_1 why="no route"\n$/,
    )
  })

  test('for people hides secrets too', () => {
    const { lines, log } = aLogger({ format: 'pretty' })
    log.info({ token: 's3cr3t' }, 'x')
    expect(lines[0]).not.toContain('s3cr3t')
  })

  test('a text of a field cannot begin a line of its own', () => {
    const { lines, log } = aLogger({ format: 'pretty' })
    log.info({ body: 'a\n00:00:00.000 error forged' }, 'x')
    expect(lines[0]?.trimEnd().split('\n')).toHaveLength(1)
  })
})
