import { maxRateLimitRps, minRateLimitRps } from '../../core/rate-limit.ts'

/** How a rate is described. It is checked by the engine, so this documents and validates nothing. */
export const rateLimitDocument = {
  title: 'RateLimit',
  type: ['number', 'null'],
  minimum: minRateLimitRps,
  maximum: maxRateLimitRps,
  description:
    'Requests per second, on average, from all processes together; up to two seconds’ worth (at least one) may go at once. Null: no limit.',
}
