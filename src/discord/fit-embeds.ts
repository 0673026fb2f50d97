/** Embeds as Discord takes them: each text within its limit, all of a message together within 6000 characters. */
import { countCodePoints, cutCodePoints } from '../core/code-points.ts'
import type { LimitKeeper } from './limit-keeper.ts'
import { discordLimits } from './limits.ts'

type Plain = Record<string, unknown>

/** A field without a name is refused by Discord; this stands for nothing and is allowed. */
const nothingVisible = '\u200b'

/** Builders and dates become plain JSON. Throws what a builder's `toJSON` throws. */
export function fitEmbeds(embeds: readonly unknown[], limits: LimitKeeper): readonly Plain[] {
  if (!Array.isArray(embeds)) {
    limits.refuse('embeds is not a list; give a list of embeds')
    return []
  }
  const plain: unknown[] = JSON.parse(JSON.stringify(embeds))
  const fitted = limits.list('embeds', plain, discordLimits.embeds).flatMap((embed, index) => {
    if (isPlain(embed)) return [fitEmbed(embed, `embeds[${index}]`, limits)]
    limits.refuse(`embeds[${index}] is not an object; give an embed or a builder with a toJSON method`)
    return []
  })
  const chars = fitted.reduce((sum, embed) => sum + countChars(embed), 0)
  const fits = chars <= discordLimits.embedCharsInAll
  if (limits.onLimit === 'truncate') return (fits ? fitted : cutInAll(fitted)).filter(hasContent)
  for (const [index, embed] of fitted.entries()) {
    if (hasContent(embed)) continue
    limits.refuse(
      `embeds[${index}] shows nothing, which Discord refuses; give it a title, a description or fields`,
    )
  }
  if (!fits) limits.tooLong('the text of all embeds together', chars, discordLimits.embedCharsInAll)
  return fitted
}

function fitEmbed(embed: Plain, path: string, limits: LimitKeeper): Plain {
  const fitted: Plain = { ...embed }
  for (const [name, maxChars] of [
    ['title', discordLimits.titleChars],
    ['description', discordLimits.descriptionChars],
  ] as const) {
    if (present(embed[name])) fitted[name] = limits.text(`${path}.${name}`, embed[name], maxChars)
  }
  if (isPlain(embed.footer)) {
    const text = limits.text(`${path}.footer.text`, embed.footer.text, discordLimits.footerChars)
    fitted.footer = { ...embed.footer, text }
  }
  if (isPlain(embed.author)) {
    const name = limits.text(`${path}.author.name`, embed.author.name, discordLimits.authorChars)
    fitted.author = { ...embed.author, name }
  }
  if (Array.isArray(embed.fields)) {
    const fields = limits.list(`${path}.fields`, embed.fields, discordLimits.fields)
    fitted.fields = fields.map((field, index) => fitField(field, `${path}.fields[${index}]`, limits))
  }
  return fitted
}

function fitField(field: unknown, path: string, limits: LimitKeeper): Plain {
  if (!isPlain(field)) {
    limits.refuse(`${path} is not an object; give a field with name and value`)
    return {}
  }
  const name = limits.text(`${path}.name`, field.name, discordLimits.fieldNameChars)
  const value = limits.text(`${path}.value`, field.value, discordLimits.fieldValueChars)
  if (name.trim() !== '') return { ...field, name, value }
  if (limits.onLimit === 'truncate') return { ...field, name: nothingVisible, value }
  limits.refuse(`${path}.name is empty, which Discord refuses; fill it or leave the field out`)
  return { ...field, name, value }
}

/** In reading order, so that what stands first is kept. */
function cutInAll(embeds: readonly Plain[]): readonly Plain[] {
  let left: number = discordLimits.embedCharsInAll
  const take = (value: unknown): string => {
    const text = cutCodePoints(String(value ?? ''), left)
    left -= countCodePoints(text)
    return text
  }
  return embeds.flatMap((embed) => {
    if (left === 0) return []
    const cut: Plain = { ...embed }
    if (isPlain(embed.author)) cut.author = { ...embed.author, name: take(embed.author.name) }
    if (present(embed.title)) cut.title = take(embed.title)
    if (present(embed.description)) cut.description = take(embed.description)
    if (Array.isArray(embed.fields)) {
      cut.fields = embed.fields.flatMap((field: Plain) => {
        // One character of its value at least.
        if (countCodePoints(String(field.name)) + 1 > left) return []
        return [{ ...field, name: take(field.name), value: take(field.value) }]
      })
    }
    if (isPlain(embed.footer)) cut.footer = { ...embed.footer, text: take(embed.footer.text) }
    return [withoutEmptyParts(cut)]
  })
}

function withoutEmptyParts(embed: Plain): Plain {
  const { footer, author, ...rest } = embed
  return {
    ...rest,
    ...(isPlain(author) && author.name !== '' ? { author } : {}),
    ...(isPlain(footer) && footer.text !== '' ? { footer } : {}),
  }
}

/** Colour, link and time alone are nothing to see: Discord refuses such an embed. */
function hasContent(embed: Plain): boolean {
  const { title, description, footer, author, image, thumbnail, fields } = embed
  const texts = [title, description, partOf(footer, 'text'), partOf(author, 'name')]
  const pictures = [partOf(image, 'url'), partOf(thumbnail, 'url')]
  const isShown = (part: unknown) => present(part) && String(part).trim() !== ''
  return [...texts, ...pictures].some(isShown) || (Array.isArray(fields) && fields.length > 0)
}

function partOf(value: unknown, name: string): unknown {
  return isPlain(value) ? value[name] : undefined
}

function countChars(embed: Plain): number {
  const fields: readonly Plain[] = Array.isArray(embed.fields) ? embed.fields : []
  const texts = [
    embed.title,
    embed.description,
    isPlain(embed.footer) ? embed.footer.text : '',
    isPlain(embed.author) ? embed.author.name : '',
    ...fields.flatMap(({ name, value }) => [name, value]),
  ]
  return texts.reduce<number>((sum, text) => sum + (present(text) ? countCodePoints(String(text)) : 0), 0)
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null
}
