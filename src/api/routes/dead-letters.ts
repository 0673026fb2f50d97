import type { Static } from 'typebox'
import type { ErrorClass } from '../../core/model.ts'
import type { Api, ApiContext } from '../context.ts'
import { jobInput } from '../job-request.ts'
import { idFilter, pageRequest, timeRange } from '../page-request.ts'
import {
  DeadLetterPage,
  DeadLetterParams,
  DeadLetterQuery,
  DeadLetterReasonsBody,
  DeadLetterReasonsQuery,
  ReplayBody,
} from '../schemas/dead-letters.ts'
import { DryRunBody, JobBody, ReplayManyBody } from '../schemas/jobs.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toDeadLetter } from '../views/dead-letters.ts'
import { toDryRun, toJob } from '../views/jobs.ts'

const tags = ['dead letters']

function filterOf(query: Static<typeof DeadLetterReasonsQuery>) {
  return {
    ...(query.endpoint_id !== undefined && {
      endpointId: idFilter(query.endpoint_id, 'endpoint_id', 'ep'),
    }),
    ...(query.topic !== undefined && { topic: query.topic }),
    ...(query.error_class !== undefined && { errorClass: query.error_class as ErrorClass }),
    ...timeRange(query),
  }
}

export function deadLetterRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const listSchema = {
      operationId: 'listDeadLetters',
      tags,
      summary: 'Deliveries that were given up, newest first',
      querystring: DeadLetterQuery,
      response: { 200: DeadLetterPage },
    }
    app.get('/v1/dlq', { schema: listSchema }, async (request) => {
      const { query } = request
      const page = await engine.deadLetters.list(tenantIdOf(request), filterOf(query), pageRequest(query))
      return { items: page.items.map(toDeadLetter), next_cursor: page.nextCursor }
    })

    const reasonsSchema = {
      operationId: 'countDeadLetterReasons',
      tags,
      summary: 'How many deliveries were given up for which error, the most frequent first',
      description: 'Of the newest 10000 dead letters, those that match.',
      querystring: DeadLetterReasonsQuery,
      response: { 200: DeadLetterReasonsBody },
    }
    app.get('/v1/dlq/reasons', { schema: reasonsSchema }, async (request) => {
      const found = await engine.deadLetters.countReasons(tenantIdOf(request), filterOf(request.query))
      return {
        reasons: found.reasons.map(({ errorClass, count }) => ({ error_class: errorClass, count })),
        complete: found.isComplete,
      }
    })

    const replayManySchema = {
      operationId: 'replayDeadLetters',
      'x-problems': [404],
      tags,
      summary: 'Send many dead letters again, as a job',
      description:
        'Those that were given up before the call, each once. With `dry_run` nothing is changed, and the answer is 200.',
      body: ReplayManyBody,
      response: { 200: DryRunBody, 202: JobBody },
    }
    app.post('/v1/dlq/replay', { schema: replayManySchema }, async (request, reply) => {
      const { dry_run: isDry = false, ...body } = request.body
      const input = jobInput(body)
      if (isDry) return toDryRun(await engine.jobs.dryReplayDeadLetters(tenantIdOf(request), input))
      return reply.code(202).send(toJob(await engine.jobs.replayDeadLetters(tenantIdOf(request), input)))
    })

    const replaySchema = {
      operationId: 'replayDeadLetter',
      'x-problems': [409, 410],
      tags,
      summary: 'Send a dead letter again: same id, attempts from 1',
      params: DeadLetterParams,
      response: { 200: ReplayBody },
    }
    app.post('/v1/dlq/:delivery_id/replay', { schema: replaySchema }, async (request) => {
      const tenantId = tenantIdOf(request)
      const { deliveryId, state } = await engine.deadLetters.replay(tenantId, request.params.delivery_id)
      return { delivery_id: deliveryId, state }
    })
  }
}
