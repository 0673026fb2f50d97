/** The portal at /portal/, which other pages may put into a frame where the server is set so. */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { policyOf, serveWebPages } from './web-pages.ts'

export interface PortalOptions {
  /** Origins, or `self`. */
  readonly frameAncestors: readonly string[]
  readonly name: string | null
  readonly accent: string | null
  readonly mode: string
  readonly font: string
  readonly logo: Logo | null
}

export interface Logo {
  readonly type: string
  readonly bytes: Buffer
}

export const plainPortal: PortalOptions = {
  frameAncestors: [],
  name: null,
  accent: null,
  mode: 'auto',
  font: 'system',
  logo: null,
}

const logoTypes: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
}
const maxLogoBytes = 256 * 1024

/** Errors: invalid_config, where it cannot be shown. */
export function readLogo(file: string): Logo {
  const type = logoTypes[extname(file).toLowerCase()]
  const refuse = (why: string, cause?: unknown) =>
    new OuthookError('invalid_config', `portal-logo: ${JSON.stringify(file)} ${why}`, { cause })
  if (type === undefined) throw refuse('is no picture by its name; use a file .svg, .png, .jpg or .webp')
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw refuse('cannot be read; check the path and who may read it', cause)
  }
  if (bytes.length <= maxLogoBytes) return { type, bytes }
  throw refuse(`has ${bytes.length} bytes; use one of at most ${maxLogoBytes}`)
}

/** What a picture that somebody opens by itself may do: nothing, scripts in it included. */
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

export function portalPage(options: PortalOptions) {
  return async (app: FastifyInstance): Promise<void> => {
    const { logo } = options
    serveWebPages(app, {
      name: 'portal',
      file: 'portal.html',
      headers: headersOf(options),
      fill: (page) =>
        page.replace('name="portal" content="{}"', `name="portal" content="${settingsOf(options)}"`),
    })
    app.get('/portal/logo', { schema: { hide: true } }, async (_request, reply) => {
      if (logo === null)
        throw new OuthookError('not_found', 'the portal has no logo; start with --portal-logo')
      return reply
        .type(logo.type)
        .header('content-security-policy', logoPolicy)
        .header('cache-control', 'public, max-age=300')
        .send(logo.bytes)
    })
  }
}

function headersOf({ frameAncestors }: PortalOptions): Readonly<Record<string, string>> {
  const ancestors = frameAncestors.map((one) => (one === 'self' ? "'self'" : one)).join(' ')
  return {
    'content-security-policy': policyOf({ images: "'self' data:", ancestors: ancestors || "'none'" }),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': ancestors === '' ? 'same-origin' : 'cross-origin',
    'referrer-policy': 'no-referrer',
    // It knows no list of origins, and browsers that read the policy pass it over.
    ...(ancestors === '' && { 'x-frame-options': 'DENY' }),
  }
}

/** In an attribute of the page, where nothing of it can end that. */
function settingsOf({ frameAncestors, name, accent, mode, font, logo }: PortalOptions): string {
  const theme = { name, accent, mode, font, logo: logo && './logo' }
  const json = JSON.stringify({ frameAncestors, theme })
  return json.replace(/[&"<>]/g, (char) => `&#${char.charCodeAt(0)};`)
}
