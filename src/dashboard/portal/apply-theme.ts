import { fonts, readableAccent, type Theme } from './theme.ts'

/** Through the object model: the page's policy lets no style in that stands inline. */
export function applyTheme({ accent, mode, font }: Theme, { style }: HTMLElement): void {
  if (mode !== 'auto') style.colorScheme = mode
  style.fontFamily = fonts[font]
  if (accent === null) return
  const [light, dark] = [readableAccent(accent, 'light'), readableAccent(accent, 'dark')]
  style.setProperty('--accent', `light-dark(${light}, ${dark})`)
}
