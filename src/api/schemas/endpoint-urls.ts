/** Where an endpoint is: one URL, or a pool of them. */
import { Type } from '../../bundled/typebox.ts'
import { limits } from '../../core/model.ts'

/** What every server takes, with the ports that are common; an address and other ports may be taken as well. */
export const urlPattern =
  '^https://(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?\\.){1,6}[A-Za-z]{2,20}(?::(?:443|[3-5]\\d{3}|[89]\\d{3}))?(?:[/?#][!-\\[\\]-~]*)?$'

const Url = Type.String({
  format: 'uri',
  maxLength: limits.maxUrlChars,
  pattern: urlPattern,
  description: 'https, of a public host, unless the server allows more',
  examples: ['https://billing.example/hooks'],
})

export const pool = {
  url: Type.Optional({
    ...Url,
    description: 'https, of a public host, unless the server allows more; this or `urls`',
  }),
  urls: Type.Optional(
    Type.Array(Url, {
      minItems: 1,
      maxItems: limits.maxUrls,
      uniqueItems: true,
      description: 'instead of `url`: a pool, between whose URLs requests go round',
      examples: [['https://a.billing.example/hooks', 'https://b.billing.example/hooks']],
    }),
  ),
  fail_over: Type.Optional(
    Type.Boolean({
      description:
        'true: where a URL of the pool cannot be reached, the same attempt goes on to the next one. Default: false',
    }),
  ),
}

export const urlAlone = { properties: { url: {}, urls: false } }
export const urlsAlone = { properties: { url: false, urls: {} } }
