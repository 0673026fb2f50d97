/**
 * `ETag`, `If-None-Match` and `If-Match` of what can be configured. A tag has two parts, `"<version>.<state>"`: the
 * version changes when somebody changes the object, the state also when what is shown beside it changes by itself, such
 * as a pause after failures or the time of the last use. `If-None-Match` compares the whole tag, so that nobody keeps an
 * old answer, and `If-Match` the version alone, so that a change is refused only because of another change.
 */
import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest, onSendHookHandler, preSerializationHookHandler } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { Version } from './schemas/versions.ts'

/** In answers that show a secret once, which is no part of the object. */
const shownOnce = ['secret', 'public_key', 'key', 'token', 'previous_expires_at']
/** As RFC 9110 has it: places of the list may be empty. */
const tagList = /^(?:[ \t]*,)*[ \t]*(?:W\/)?"[!#-~]*"(?:[ \t]*,(?:[ \t]*(?:W\/)?"[!#-~]*")?)*$/
const tag = /(W\/)?"([!#-~]*)"/g

interface Tag {
  readonly isWeak: boolean
  readonly text: string
}

/** For all routes that are registered afterwards: those whose answers show a version. */
export function tagAnswers(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const answers = Object.values((route.schema?.response ?? {}) as Readonly<Record<string, Shown>>)
    if (!answers.some(({ properties }) => properties?.version === Version)) return
    route.preSerialization = [setTag, ...[route.preSerialization ?? []].flat()]
    if (route.method === 'GET' || route.method === 'HEAD')
      route.onSend = [answerUnchanged, ...[route.onSend ?? []].flat()]
  })
}

interface Shown {
  readonly properties?: Readonly<Record<string, unknown>>
}

/** What a change is to be conditional on: `{}` where the request does not say. */
export function ifMatchOf(request: FastifyRequest): { readonly ifMatch?: readonly string[] } {
  const tags = readTags(request, 'if-match')
  if (tags === null) return {}
  if (tags === '*') return { ifMatch: ['*'] }
  // A weak tag does not promise that it is the same object.
  const strong = tags.filter(({ isWeak }) => !isWeak)
  return { ifMatch: strong.map(({ text }) => text.split('.', 1)[0] ?? '') }
}

const setTag: preSerializationHookHandler = (_request, reply, payload, done) => {
  const { version } = (payload ?? {}) as { readonly version?: string }
  if (version !== undefined) reply.header('etag', tagOf(version, payload as object))
  done(null, payload)
}

function tagOf(version: string, shown: object): string {
  const members = Object.entries(shown).filter(([name]) => !shownOnce.includes(name))
  return `"${version}.${hash('sha256', JSON.stringify(members), 'base64url').slice(0, 10)}"`
}

const answerUnchanged: onSendHookHandler = (request, reply, payload, done) => {
  const tags = reply.statusCode === 200 ? readTags(request, 'if-none-match') : null
  const own = String(reply.getHeader('etag') ?? '').slice(1, -1)
  if (tags === null || (tags !== '*' && !tags.some(({ text }) => text === own))) return done(null, payload)
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  done(null, null)
}

/** Null: the header is not there. */
function readTags(request: FastifyRequest, name: 'if-match' | 'if-none-match'): readonly Tag[] | '*' | null {
  const header = request.headers[name]
  if (header === undefined) return null
  const text = header.trim()
  if (text === '*') return '*'
  if (tagList.test(text)) {
    return [...text.matchAll(tag)].map(([, weak, inner = '']) => ({
      isWeak: weak !== undefined,
      text: inner,
    }))
  }
  const shown = name === 'if-match' ? 'If-Match' : 'If-None-Match'
  throw new OuthookError(
    'invalid_request',
    `${shown} is not a list of tags such as "x1y2.z3", in quotes; give the ETag of an earlier answer as it was, or *`,
  )
}
