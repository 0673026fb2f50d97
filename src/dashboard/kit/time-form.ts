/** The choice of how lists say times, and who shows one. Without the DOM. */

type Form = 'relative' | 'exact'

interface Keeper {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
}

const nameInKeeper = 'outhook-times'

export interface TimeForm {
  readonly now: () => Form
  readonly choose: (form: Form) => void
  /** Whether a time is shown that the choice is about. */
  readonly isShown: () => boolean
  /** Such a time is shown, until what this answers is called; it hears of another choice. */
  readonly show: (hear: () => void) => () => void
  /** Hears of another choice, and of the first time and the last one that are shown. */
  readonly watch: (hear: () => void) => () => void
}

export function createTimeForm(keeper: Keeper | null): TimeForm {
  let form: Form = keeper?.getItem(nameInKeeper) === 'exact' ? 'exact' : 'relative'
  const shown = new Set<{ readonly hear: () => void }>()
  const watching = new Set<{ readonly hear: () => void }>()
  const tell = (hearers: typeof shown) => {
    for (const { hear } of hearers) hear()
  }
  const add = (hearers: typeof shown, hear: () => void) => {
    const hearer = { hear }
    hearers.add(hearer)
    return () => hearers.delete(hearer)
  }
  return {
    now: () => form,
    choose(chosen) {
      form = chosen
      tell(shown)
      tell(watching)
      keeper?.setItem(nameInKeeper, chosen)
    },
    isShown: () => shown.size > 0,
    show(hear) {
      const remove = add(shown, hear)
      if (shown.size === 1) tell(watching)
      return () => {
        remove()
        if (shown.size === 0) tell(watching)
      }
    },
    watch(hear) {
      const remove = add(watching, hear)
      // A time that is below on the page may have been shown first.
      hear()
      return () => {
        remove()
      }
    },
  }
}
