/** How a receiver verifies, in the language that somebody chooses. The recipes are those of the documentation. */
import { useState } from 'preact/hooks'
import { t } from './locales.ts'
import { Code, Part, Shown } from './parts.tsx'
import { readRecipes } from './recipes.ts'
import { useAsk } from './session.tsx'

/** Loaded when somebody looks at it: nine languages are many bytes. */
async function load() {
  const page = (await import('../../../docs/guides/verify-in-your-language.md?raw')) as {
    readonly default: string
  }
  return readRecipes(page.default)
}

export function Verify({ secret }: { readonly secret: string | null }) {
  const recipes = useAsk('recipes', load)
  const [chosen, setChosen] = useState(0)
  return (
    <Part title={t('verify')}>
      <p class="hint">
        {t('verifyHint')} {secret === null ? t('verifyWithoutSecret') : t('verifyWithSecret')}
      </p>
      <Shown of={recipes}>
        {(known) => {
          const recipe = known[chosen]
          return (
            <>
              <label for="language">{t('language')}</label>{' '}
              <select
                id="language"
                value={chosen}
                onChange={(event) => setChosen(Number(event.currentTarget.value))}
              >
                {known.map(({ language }, at) => (
                  <option key={language} value={at}>
                    {language}
                  </option>
                ))}
              </select>
              {recipe && <Code label={recipe.language} text={withSecret(recipe.code, secret)} />}
            </>
          )
        }}
      </Shown>
    </Part>
  )
}

function withSecret(code: string, secret: string | null): string {
  return secret === null ? code : code.replaceAll('whsec_REPLACE_ME', secret)
}
