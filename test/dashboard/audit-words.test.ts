import { expect, test } from 'vitest'
import { changesOf, pathOfObject } from '../../src/dashboard/pages/audit/words.ts'

test('changes are by member, with what each was and is as text', () => {
  expect(
    changesOf({
      before: { description: 'a', rate_limit_rps: null, topics: ['x'] },
      after: { description: 'b', rate_limit_rps: 5, secret: 'replaced' },
    }),
  ).toEqual([
    { name: 'description', before: 'a', after: 'b' },
    { name: 'rate_limit_rps', before: 'null', after: '5' },
    { name: 'topics', before: '["x"]', after: null },
    { name: 'secret', before: null, after: 'replaced' },
  ])
  expect(changesOf({ before: null, after: null })).toEqual([])
})

test('an object leads to its page, where it has one', () => {
  expect(pathOfObject({ kind: 'endpoint', id: 'ep_1' })).toBe('endpoints/ep_1')
  expect(pathOfObject({ kind: 'event_type', id: 'a.b' })).toBe('event-types/a.b')
  expect(pathOfObject({ kind: 'event_catalogue', id: null })).toBe('event-types')
  expect(pathOfObject({ kind: 'admin_token', id: 'adm_1' })).toBe('keys')
  expect(pathOfObject({ kind: 'master_key', id: null })).toBeNull()
  expect(pathOfObject({ kind: 'credential', id: 'crd_1' })).toBeNull()
})
