/**
 * What stands where a body may stand. A body that a route can do without is absent or an object: `null`, a list or a
 * number is somebody's mistake, and must not do what was asked for by accident. The same holds on routes that take no
 * body, where an object with members asks for something that nobody would do.
 */
import type { FastifyInstance, preValidationHookHandler, RouteOptions } from 'fastify'
import { OuthookError } from '../core/errors.ts'

/** Must be called before the routes are registered. */
export function checkBodyForms(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const check = checkOf(route)
    if (check !== null) route.preValidation = [check, ...[route.preValidation ?? []].flat()]
  })
}

function checkOf({ schema, validatorCompiler }: RouteOptions): preValidationHookHandler | null {
  // The routes for publishing read the bytes themselves.
  if (validatorCompiler !== undefined) return null
  if (schema?.body === undefined) return takeNothing
  return 'x-optional-body' in schema ? takeObjectOrNothing : refuseNull
}

const takeNothing: preValidationHookHandler = ({ body }, _reply, done) => {
  if (body === undefined) return done()
  if (!isObject(body)) return done(refused('leave it out'))
  const [name] = Object.keys(body)
  if (name === undefined) return done()
  done(new OuthookError('invalid_body', `${name.slice(0, 80)} is not known; this route takes no body`))
}

const takeObjectOrNothing: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done(isObject(request.body) ? undefined : refused('send an object or nothing'))
}

/** An absent body arrives at the validation as null too, and is another mistake. */
const refuseNull: preValidationHookHandler = ({ body }, _reply, done) => {
  done(body === null ? refused('send an object') : undefined)
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
}

function refused(advice: string): OuthookError {
  return new OuthookError('invalid_body', `the body must be an object; ${advice}`)
}
