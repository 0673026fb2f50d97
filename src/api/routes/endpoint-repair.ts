import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { jobInput } from '../job-request.ts'
import { ownContents } from '../portal-rights.ts'
import { EnableBody, EndpointBody, PauseBody, TestBody, TestResultBody } from '../schemas/endpoints.ts'
import { BackfillBody, DryRunBody, JobBody } from '../schemas/jobs.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toCapturedResponse } from '../views/deliveries.ts'
import { toEndpoint } from '../views/endpoints.ts'
import { toDryRun, toJob } from '../views/jobs.ts'

const tags = ['endpoints']

export function endpointRepairRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const backfillSchema = {
      operationId: 'backfillEndpoint',
      tags,
      summary: 'Send an endpoint the past events that it did not get, as a job',
      description:
        'Events that it is subscribed to now, each once at most. Those whose payload is past its retention are skipped. With `dry_run` nothing is changed, and the answer is 200.',
      params: idParams('ep'),
      body: BackfillBody,
      response: { 200: DryRunBody, 202: JobBody },
    }
    app.post('/v1/endpoints/:id/backfill', { schema: backfillSchema }, async (request, reply) => {
      const { dry_run: isDry = false, ...body } = request.body
      const of = [tenantIdOf(request), request.params.id, jobInput(body)] as const
      if (isDry) return toDryRun(await engine.jobs.dryBackfillEndpoint(...of))
      return reply.code(202).send(toJob(await engine.jobs.backfillEndpoint(...of)))
    })

    registerPauses(app, engine)
    registerTest(app, engine)
  }
}

function registerPauses(app: Api, engine: ApiContext['engine']): void {
  const pauseSchema = {
    operationId: 'pauseEndpoint',
    'x-problems': [409, 422],
    'x-optional-body': true,
    tags,
    summary: 'Send nothing to it until it is resumed; its deliveries wait',
    params: idParams('ep'),
    body: PauseBody,
    response: { 200: EndpointBody },
  }
  app.post('/v1/endpoints/:id/pause', { schema: pauseSchema }, async (request) => {
    const { reason } = request.body
    const by = principalOf(request).keyId
    const options = { by, ...(reason !== undefined && { reason }) }
    return toEndpoint(await engine.endpointPauses.pause(tenantIdOf(request), request.params.id, options))
  })

  for (const [name, summary] of [
    ['resume', 'Send to it again, after a pause by hand'],
    ['enable', 'Send to it again, after a pause by hand or when it was disabled'],
  ] as const) {
    const schema = {
      operationId: `${name}Endpoint`,
      'x-problems': [409],
      'x-optional-body': true,
      tags,
      summary,
      description:
        'With `"backlog": "skip"` what waits for it is cancelled first, by a job (202), and only what is published after the call is sent.',
      params: idParams('ep'),
      body: EnableBody,
      response: { 200: EndpointBody, 202: JobBody },
    }
    app.post(`/v1/endpoints/:id/${name}`, { schema }, async (request, reply) => {
      const tenantId = tenantIdOf(request)
      const { id } = request.params
      if (name === 'resume') await engine.endpointPauses.checkPaused(tenantId, id)
      if (request.body.backlog === 'skip') {
        return reply.code(202).send(toJob(await engine.jobs.skipBacklog(tenantId, id)))
      }
      return toEndpoint(await engine.endpointPauses.enable(tenantId, id))
    })
  }
}

function registerTest(app: Api, engine: ApiContext['engine']): void {
  const schema = {
    operationId: 'testEndpoint',
    'x-problems': [429],
    'x-optional-body': true,
    tags,
    summary: 'Send it a test event now, and get what it answered',
    description:
      'Signed and guarded as any attempt, and no delivery: nothing of it is stored, counted or retried. Paused and disabled endpoints get it too. One at a time.',
    params: idParams('ep'),
    body: TestBody,
    response: { 200: TestResultBody },
  }
  app.post('/v1/endpoints/:id/test', { schema, config: ownContents }, async (request) => {
    const { body, params } = request
    const { eventId, httpStatus, errorClass, latencyMs, response, ...result } =
      await engine.endpointTests.test(tenantIdOf(request), params.id, body)
    return {
      ...result,
      event_id: eventId,
      http_status: httpStatus,
      error_class: errorClass,
      latency_ms: Math.round(latencyMs),
      ...(response !== null && { response: toCapturedResponse(response) }),
    }
  })
}
