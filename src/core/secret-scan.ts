/**
 * Finds webhook URLs that let whoever reads them post: those of Discord, Slack, Microsoft Teams and Telegram bots.
 * Only URLs of a real one's shape count; short stand-ins such as `https://discord.com/api/webhooks/1/test` pass.
 */

export type SecretKind = 'discord' | 'slack' | 'teams' | 'telegram'

export interface FoundSecret {
  readonly kind: SecretKind
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** Safe to print. */
  readonly masked: string
}

interface SecretShape {
  readonly kind: SecretKind
  /** The first group is what may be shown. */
  readonly pattern: RegExp
}

const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

const shapes: readonly SecretShape[] = [
  {
    kind: 'discord',
    pattern: /((?:(?:ptb|canary)\.)?discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/)\d{17,20}\/[\w-]{50,}/gi,
  },
  {
    kind: 'slack',
    pattern:
      /(hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)T?[A-Z0-9]{8,}\/[A-Z0-9]{8,}\/[A-Z0-9/]{20,}/gi,
  },
  {
    kind: 'teams',
    pattern: new RegExp(
      String.raw`((?:[\w-]+\.webhook\.office\.com\/webhookb2|outlook\.office(?:365)?\.com\/webhook)\/)${guid}@${guid}\/IncomingWebhook\/[0-9a-z]{32}`,
      'gi',
    ),
  },
  {
    kind: 'teams',
    pattern:
      /([\w.-]+\.(?:logic\.azure|api\.powerplatform)\.com(?::\d+)?\/)[\w/.-]*workflows\/[0-9a-f]{32}\/[^\s"'`<>]*[?&]sig=[\w%-]{40,}/gi,
  },
  { kind: 'telegram', pattern: /(api\.telegram\.org\/bot)\d{8,10}:[\w-]{35}/gi },
]

/** In the order in which they stand. */
export function scanSecrets(text: string): readonly FoundSecret[] {
  return text.split('\n').flatMap((line, index) =>
    shapes
      .flatMap(({ kind, pattern }) =>
        [...line.matchAll(pattern)].map((match) => ({
          kind,
          line: index + 1,
          column: match.index + 1,
          masked: `${match[1] ?? ''}***`,
        })),
      )
      .sort((a, b) => a.column - b.column),
  )
}

/** The same text with what `scanSecrets` finds replaced by its printable form. */
export function maskSecrets(text: string): string {
  return shapes.reduce((masked, { pattern }) => masked.replace(pattern, '$1***'), text)
}
