/** Recipes out of the page of the documentation: a heading for each language, and its first block of code. */
export interface Recipe {
  readonly language: string
  readonly code: string
}

export function readRecipes(page: string): readonly Recipe[] {
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const [language = ''] = part.split('\n')
      const code = /^```\w+\n([\s\S]*?)^```$/m.exec(part)?.[1]
      return code === undefined ? [] : [{ language: language.trim(), code: code.trimEnd() }]
    })
}
