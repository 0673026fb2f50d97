import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import type { AdminPrincipal } from '../../engine/principal.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { formatTime } from '../rfc3339.ts'
import { NoBody } from '../schemas/shapes.ts'
import { SignInBody, SignInCodeBody } from '../schemas/sign-ins.ts'
import { csrfTokenOf, signInCookie, signInTextOf } from '../sign-in-cookie.ts'
import { acrossTenants } from '../tenant-scope.ts'

const tags = ['sign ins']

/** Only of what asks: a browser, or whoever sends a token. */
export function signInRoutes({ engine, auth }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const createSchema = {
      operationId: 'createSignIn',
      tags,
      summary: 'Sign a browser in: exchange an admin token, or a code, for a cookie',
      description:
        'The cookie is good for 12 hours, and for as long as the token; what the token may do, the browser may. Requests with it that change something carry `X-CSRF-Token`.',
      response: { 201: SignInBody },
    }
    const config = acrossTenants
    app.put('/v1/sign-in', { schema: createSchema, config }, async (request, reply) => {
      refuseCookie(request)
      const { text, expiresAt } = await auth.signIn(request)
      const before = signInTextOf(request.headers.cookie)
      if (before !== null) await auth.endSignIn(before)
      const shown = show(principalOf(request) as AdminPrincipal, { text, expiresAt })
      return reply.code(201).header('set-cookie', signInCookie(request, text)).send(shown)
    })

    const codeSchema = {
      operationId: 'createSignInCode',
      tags,
      summary: 'Make a code that signs a browser in, once and within a minute',
      description:
        'For a link that needs no token: `/dashboard/#sign-in=<code>`. The browser may then do what the token may that this is asked for with. What follows `#` is in no log of a server and in no `Referer`.',
      response: { 201: SignInCodeBody },
    }
    app.put('/v1/sign-in/code', { schema: codeSchema, config }, async (request, reply) => {
      refuseCookie(request)
      const { text, expiresAt } = await auth.createSignInCode(request)
      return reply.code(201).send({ code: text, expires_at: formatTime(expiresAt) })
    })

    const getSchema = {
      operationId: 'getSignIn',
      tags,
      summary: 'Who is signed in, and what requests that change something have to carry',
      response: { 200: SignInBody },
    }
    app.get('/v1/sign-in', { schema: getSchema, config }, async (request) => {
      const { signInText: text } = request
      const expiresAt = text === null ? null : await engine.signIns.endOf(text)
      return show(principalOf(request) as AdminPrincipal, { text, expiresAt })
    })

    const endSchema = {
      operationId: 'endSignIn',
      tags,
      summary: 'Sign the browser out; with a token there is nothing to end',
      response: { 204: NoBody },
    }
    app.delete('/v1/sign-in', { schema: endSchema, config }, async (request, reply) => {
      if (request.signInText !== null) await auth.endSignIn(request.signInText)
      return reply.code(204).header('set-cookie', signInCookie(request, null)).send()
    })
  }
}

/** Whoever has found a browser open makes no other sign-in of it. */
function refuseCookie({ signInText }: FastifyRequest): void {
  if (signInText === null) return
  throw new OuthookError('forbidden', 'a browser is signed in with a token; send Authorization: Bearer')
}

interface Shown {
  readonly text: string | null
  readonly expiresAt: number | null
}

function show({ role, tenantId }: AdminPrincipal, { text, expiresAt }: Shown) {
  return {
    role,
    tenant_id: tenantId,
    csrf_token: text === null ? null : csrfTokenOf(text),
    expires_at: expiresAt === null ? null : formatTime(expiresAt),
  }
}
