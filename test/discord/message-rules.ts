/** What Discord refuses, written down from its documentation and on purpose not with the constants of `src`. */

type Plain = Readonly<Record<string, unknown>>

export interface DiscordProblem {
  readonly message: string
  readonly code: number
  readonly errors?: readonly string[]
}

export function findProblem(
  payload: Plain,
  given: { readonly files: number; readonly isNew: boolean },
): DiscordProblem | null {
  const { content, embeds } = payload as { content?: string; embeds?: readonly Plain[] }
  if (given.isNew && !content?.trim() && !embeds?.length && given.files === 0) {
    return { message: 'Cannot send an empty message', code: 50006 }
  }
  const errors = [
    ...tooLong('content', content, 2000),
    ...tooLong('username', payload.username, 80),
    ...tooLong('thread_name', payload.thread_name, 100),
    ...(/clyde|discord|^(here|everyone)$/i.test(String(payload.username ?? '').trim()) ? ['username'] : []),
    ...((embeds?.length ?? 0) > 10 ? ['embeds'] : []),
    ...(embeds ?? []).flatMap(embedProblems),
    ...((embeds ?? []).reduce((sum, embed) => sum + embedChars(embed), 0) > 6000 ? ['embeds 6000'] : []),
  ]
  return errors.length === 0 ? null : { message: 'Invalid Form Body', code: 50035, errors }
}

function embedProblems(embed: Plain): readonly string[] {
  const {
    fields = [],
    footer,
    author,
  } = embed as { fields?: readonly Plain[]; footer?: Plain; author?: Plain }
  const parts = [embed.title, embed.description, footer?.text, author?.name, embed.image, embed.thumbnail]
  const isShown = fields.length > 0 || parts.some((part) => part !== undefined && String(part).trim() !== '')
  return [
    ...(isShown ? [] : ['description is required']),
    ...tooLong('title', embed.title, 256),
    ...tooLong('description', embed.description, 4096),
    ...tooLong('footer', footer?.text, 2048),
    ...tooLong('author', author?.name, 256),
    ...(fields.length > 25 ? ['fields'] : []),
    ...fields.flatMap(({ name, value }) => [
      ...tooLong('name', name, 256),
      ...tooLong('value', value, 1024),
      ...(!name ? ['a field has no name'] : []),
    ]),
  ]
}

function embedChars(embed: Plain): number {
  const {
    fields = [],
    footer,
    author,
  } = embed as { fields?: readonly Plain[]; footer?: Plain; author?: Plain }
  const texts = [embed.title, embed.description, footer?.text, author?.name]
  for (const { name, value } of fields) texts.push(name, value)
  return texts.reduce<number>((sum, text) => sum + [...String(text ?? '')].length, 0)
}

function tooLong(place: string, text: unknown, max: number): readonly string[] {
  return typeof text === 'string' && [...text].length > max ? [place] : []
}
