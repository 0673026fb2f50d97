/** What Discord refuses with 400. Lengths are code points: an emoji of two UTF-16 units is one. */
export const discordLimits = {
  contentChars: 2000,
  embeds: 10,
  titleChars: 256,
  descriptionChars: 4096,
  fields: 25,
  fieldNameChars: 256,
  fieldValueChars: 1024,
  footerChars: 2048,
  authorChars: 256,
  /** Titles, descriptions, field names and values, footers and authors of all embeds of a message together. */
  embedCharsInAll: 6000,
  usernameChars: 80,
  threadNameChars: 100,
  files: 10,
  /** Servers with boosts take more. */
  fileBytes: 10 * 1024 * 1024,
} as const

/** At most `max` UTF-16 units, the last one an ellipsis where something was cut off. Splits no character in two. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  if (max <= 1) return '…'.slice(0, max)
  return `${cutPlain(text, max - 1)}…`
}

/** Without the ellipsis. */
export function cutPlain(text: string, max: number): string {
  const last = text.charCodeAt(max - 1)
  const splitsPair = text.length > max && last >= 0xd800 && last < 0xdc00
  return text.slice(0, splitsPair ? max - 1 : max)
}
