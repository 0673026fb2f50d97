/**
 * How the portal looks: as the server is set, and as the address says. Whatever could be more than a colour, a name, a
 * picture or one of a few fonts is passed over. Pure.
 */
export interface Theme {
  readonly name: string | null
  /** `#rrggbb`. */
  readonly accent: string | null
  /** An address on this server, or a picture in the address itself. */
  readonly logo: string | null
  readonly mode: Mode
  readonly font: Font
}

const modes = ['auto', 'light', 'dark'] as const
type Mode = (typeof modes)[number]

export const fonts = {
  system: 'system-ui, sans-serif',
  sans: 'Arial, Helvetica, sans-serif',
  serif: 'Georgia, "Times New Roman", serif',
  rounded: 'ui-rounded, "Arial Rounded MT Bold", system-ui, sans-serif',
  mono: 'ui-monospace, Menlo, Consolas, monospace',
} as const
type Font = keyof typeof fonts

const maxNameLength = 60
const maxLogoLength = 8_000
/** Pictures that stand in the address: no request is made for them, and scripts in them do not run. */
const picture = /^data:image\/(?:png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/

export type ThemeInput = Readonly<Partial<Record<'name' | 'accent' | 'logo' | 'mode' | 'font', unknown>>>

/** The first that says something of each wins. */
export function readTheme(...inputs: readonly ThemeInput[]): Theme {
  const first = <T>(member: keyof ThemeInput, read: (value: string) => T | null): T | null => {
    for (const input of inputs) {
      const value = input[member]
      const found = typeof value === 'string' ? read(value) : null
      if (found !== null) return found
    }
    return null
  }
  return {
    name: first('name', readName),
    accent: first('accent', readColour),
    logo: first('logo', readLogo),
    mode: first('mode', (text) => modes.find((mode) => mode === text) ?? null) ?? 'auto',
    font: first('font', (text) => (Object.hasOwn(fonts, text) ? (text as Font) : null)) ?? 'system',
  }
}

function readName(text: string): string | null {
  const name = text.replace(/\p{C}/gu, '').trim()
  return name === '' || name.length > maxNameLength ? null : name
}

/** `#abc`, `#aabbcc`, or the same without `#`, which an address would have to escape. */
function readColour(text: string): string | null {
  const digits = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text)?.[1]?.toLowerCase()
  if (digits === undefined) return null
  return `#${digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits}`
}

function readLogo(text: string): string | null {
  if (text.length > maxLogoLength) return null
  return text === './logo' || picture.test(text) ? text : null
}

type Rgb = readonly [number, number, number]

const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]
/** The grounds that the accent has to be read on, and that stand on it: `style.css` has them. */
const grounds = { light: [246, 247, 249], dark: [29, 32, 39] } as const satisfies Record<string, Rgb>
/** What WCAG 2 asks for of text (AA), and a little. */
const minContrast = 4.6

/** The colour, or the nearest darker or lighter one that can be read on the ground of the mode. */
export function readableAccent(accent: string, mode: 'light' | 'dark'): string {
  const own = toRgb(accent)
  const towards = mode === 'light' ? black : white
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = own.map((part, at) =>
      Math.round(part + ((towards[at] ?? 0) - part) * share),
    ) as unknown as Rgb
    if (contrast(mixed, grounds[mode]) >= minContrast) return toHex(mixed)
  }
  return toHex(towards)
}

export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

export function toRgb(hex: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb
}

function toHex(rgb: Rgb): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const share = part / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as unknown as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
