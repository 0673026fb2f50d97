import type { FastifyRequest } from 'fastify'
import { defaultTenantId } from '../../core/model.ts'
import type { ChartSpan } from '../../core/stats/series.ts'
import type { Api, ApiContext } from '../context.ts'
import { idFilter } from '../page-request.ts'
import { ownContents } from '../portal-rights.ts'
import {
  EndpointStatsBody,
  EndpointStatsQuery,
  SeriesBody,
  SeriesQuery,
  StatsBody,
  TroubleBody,
  TroubleQuery,
} from '../schemas/stats.ts'
import { reachOf, tenantIdOf } from '../tenant-scope.ts'
import { toEndpointStats, toSeries, toStats, toTrouble } from '../views/stats.ts'

const tags = ['stats']
const config = ownContents
const reach = 'Without `tenant` an admin token of all tenants is told of all.'

export function statsRoutes({ engine }: ApiContext) {
  /** An endpoint is found by its id alone where the caller sees all tenants and names none. */
  async function tenantOf(request: FastifyRequest, endpointId: string): Promise<string> {
    return reachOf(request) ?? (await engine.tenants.tenantOf(endpointId)) ?? defaultTenantId
  }

  return async (app: Api): Promise<void> => {
    const nowSchema = {
      operationId: 'readStatNow',
      tags,
      summary: 'The state of the system now, in figures',
      description: `Rates, shares and percentiles of the last minutes, what waits and since when, what was given up and for what, processes and store. ${reach}`,
      response: { 200: StatsBody },
    }
    app.get('/v1/stats', { schema: nowSchema, config }, async (request) =>
      toStats(await engine.stats.now(reachOf(request))),
    )

    const seriesSchema = {
      operationId: 'readStatSeries',
      tags,
      summary: 'Figures over time, for charts',
      description: `Of a tenant, or of one endpoint. Minutes are kept for two days, hours for ninety. ${reach}`,
      querystring: SeriesQuery,
      response: { 200: SeriesBody },
    }
    app.get('/v1/stats/series', { schema: seriesSchema, config }, async (request) => {
      const { span, endpoint_id: given } = request.query
      const endpointId = given === undefined ? undefined : idFilter(given, 'endpoint_id', 'ep')
      const tenantId = endpointId === undefined ? reachOf(request) : await tenantOf(request, endpointId)
      const options = {
        ...(span !== undefined && { span: span as ChartSpan }),
        ...(endpointId !== undefined && { endpointId }),
      }
      return toSeries(await engine.stats.series(tenantId, options))
    })

    const endpointsSchema = {
      operationId: 'readStatEndpoints',
      tags,
      summary: 'The last day of each of some endpoints, by the hour',
      description:
        'For a small chart beside each endpoint of a list. Of an endpoint that is not there, nothing.',
      querystring: EndpointStatsQuery,
      response: { 200: EndpointStatsBody },
    }
    app.get('/v1/stats/endpoints', { schema: endpointsSchema, config }, async (request) => {
      const given = request.query.endpoint_ids.split(',')
      const ids = given.map((id) => idFilter(id, 'endpoint_ids', 'ep'))
      return toEndpointStats(await engine.stats.ofEndpoints(tenantIdOf(request), ids))
    })

    const troubleSchema = {
      operationId: 'listStatTrouble',
      tags,
      summary: 'Endpoints that are not as they should be, the worst first, and why',
      description: `Those that are disabled, paused, failing, slow, at a limit of theirs or late. ${reach}`,
      querystring: TroubleQuery,
      response: { 200: TroubleBody },
    }
    app.get('/v1/stats/trouble', { schema: troubleSchema, config }, async (request) =>
      toTrouble(await engine.stats.trouble(reachOf(request), request.query)),
    )
  }
}
