import type { Api, ApiContext } from '../context.ts'
import { jobInput } from '../job-request.ts'
import { BackfillBody, DryRunBody, JobBody } from '../schemas/jobs.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
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
  }
}
