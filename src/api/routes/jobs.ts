import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import { JobBody, JobPage, JobQuery } from '../schemas/jobs.ts'
import { idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toJob } from '../views/jobs.ts'

const tags = ['jobs']

export function jobRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const listSchema = {
      operationId: 'listJobs',
      tags,
      summary: 'Jobs, newest first',
      querystring: JobQuery,
      response: { 200: JobPage },
    }
    app.get('/v1/jobs', { schema: listSchema }, async (request) => {
      const { state, kind } = request.query
      const filter = { ...(state !== undefined && { state }), ...(kind !== undefined && { kind }) }
      const page = await engine.jobs.list(tenantIdOf(request), filter, pageRequest(request.query))
      return { items: page.items.map(toJob), next_cursor: page.nextCursor }
    })

    const getSchema = {
      operationId: 'getJob',
      tags,
      summary: 'A job and how far it has got',
      params: idParams('job'),
      response: { 200: JobBody },
    }
    app.get('/v1/jobs/:id', { schema: getSchema }, async (request) =>
      toJob(await engine.jobs.get(tenantIdOf(request), request.params.id)),
    )

    const cancelSchema = {
      operationId: 'cancelJob',
      tags,
      summary: 'End a job: what is done stays done, nothing more is',
      description: 'A job that has ended stays as it is.',
      params: idParams('job'),
      response: { 200: JobBody },
    }
    app.post('/v1/jobs/:id/cancel', { schema: cancelSchema }, async (request) =>
      toJob(await engine.jobs.cancel(tenantIdOf(request), request.params.id)),
    )

    const pauseSchema = {
      operationId: 'pauseJob',
      tags,
      summary: 'Hold a job until it is resumed: what is done stays done',
      description: 'A job that has ended stays as it is.',
      params: idParams('job'),
      response: { 200: JobBody },
    }
    app.post('/v1/jobs/:id/pause', { schema: pauseSchema }, async (request) =>
      toJob(await engine.jobs.pause(tenantIdOf(request), request.params.id)),
    )

    const resumeSchema = {
      operationId: 'resumeJob',
      tags,
      summary: 'Let a paused job go on where it stopped',
      description: 'A job that is not paused stays as it is.',
      params: idParams('job'),
      response: { 200: JobBody },
    }
    app.post('/v1/jobs/:id/resume', { schema: resumeSchema }, async (request) =>
      toJob(await engine.jobs.resume(tenantIdOf(request), request.params.id)),
    )
  }
}
