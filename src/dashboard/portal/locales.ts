/** In which language the portal speaks: `lang` of the address names one of these. */
import { relativeText } from '../kit/relative-text.ts'
import { english, type TextKey, type Texts } from './texts.ts'

export interface Locale {
  readonly texts: Texts
  /** Of times and numbers, and of the page. */
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
}

const accents: Readonly<Record<string, string>> = {
  a: 'á',
  e: 'é',
  i: 'í',
  o: 'ó',
  u: 'ú',
  n: 'ñ',
  A: 'Á',
  E: 'É',
  O: 'Ó',
  S: 'Š',
}

/** English with accents, longer, and from right to left: what is not in the table of texts stands out. */
export function pseudo(text: string): string {
  const changed = text.replace(/\{\w+\}|\w/g, (part) => accents[part] ?? part)
  return `[${changed} ]`
}

const locales: Readonly<Record<string, Locale>> = {
  en: { texts: english, language: 'en', direction: 'ltr' },
  'en-XB': {
    texts: Object.fromEntries(
      Object.entries(english).map(([key, text]) => [key, pseudo(text)]),
    ) as unknown as Texts,
    language: 'en-XB',
    direction: 'rtl',
  },
}

let chosen: Locale = locales.en as Locale
let formats = formatsOf(chosen)

function formatsOf({ language }: Locale) {
  return {
    moment: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'long' }),
    hour: new Intl.DateTimeFormat(language, {
      weekday: 'short',
      hour: 'numeric',
      minute: '2-digit',
      timeZoneName: 'short',
    }),
    relative: new Intl.RelativeTimeFormat(language, { numeric: 'auto' }),
  }
}

/** What is not known is English. */
export function chooseLocale(name: string | null): Locale {
  chosen =
    (name !== null && Object.hasOwn(locales, name) ? locales[name] : undefined) ?? (locales.en as Locale)
  formats = formatsOf(chosen)
  return chosen
}

export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return chosen.texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** To the second, as logs have it, with the zone. */
export function formatMoment(at: string): string {
  return formats.moment.format(Date.parse(at))
}

/** Of the last days, with the zone. */
export function formatHour(at: string): string {
  return formats.hour.format(Date.parse(at))
}

/** How long ago or ahead. */
export function formatRelative(at: string, nowMs: number): string {
  return relativeText(at, nowMs, formats.relative)
}
