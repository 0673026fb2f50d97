/**
 * `outhook completion bash|zsh|fish`: a script that completes commands, options and the values that are known. All of it
 * is in the script, so that pressing Tab starts no process.
 */
import type { Command } from 'commander'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

export function register(command: Command, io: CliIo): void {
  command.argument('<shell>', 'bash, zsh or fish')
  addNotes(
    command,
    'Put it where your shell looks:\n' +
      '  outhook completion bash > ~/.local/share/bash-completion/completions/outhook\n' +
      `  outhook completion zsh > "\${fpath[1]}/_outhook"\n` +
      '  outhook completion fish > ~/.config/fish/completions/outhook.fish\n' +
      'or, for this shell alone: source <(outhook completion bash)',
  )
  command.action((shell: string) => {
    const render = renderers[shell]
    if (render === undefined)
      throw new UsageError(`"${shell}" is no shell that is known; use bash, zsh or fish`)
    io.print(render(readPlaces(command.parent ?? command)))
  })
}

interface PlaceOption {
  /** With its dashes. */
  readonly flag: string
  readonly description: string
  readonly takesValue: boolean
  readonly values: readonly string[]
}

/** What may follow `outhook` and these words. */
interface Place {
  readonly words: readonly string[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly PlaceOption[]
}

function readPlaces(program: Command): readonly Place[] {
  const places: Place[] = []
  const visit = (command: Command, words: readonly string[]): void => {
    const commands = command.commands.map((one) => ({ name: one.name(), description: one.description() }))
    const options = command.options
      .filter((option) => !option.hidden)
      .map((option) => ({
        flag: option.long ?? '',
        description: option.description,
        takesValue: option.required || option.optional,
        values: option.argChoices ?? [],
      }))
    const help = { flag: '--help', description: 'display help', takesValue: false, values: [] }
    places.push({ words, commands, options: [...options, help] })
    for (const one of command.commands) visit(one, [...words, one.name()])
  }
  visit(program, [])
  return places
}

const shells = ['bash', 'zsh', 'fish']

/** What may be written where no option stands. */
function wordsAt({ words, commands, options }: Place): readonly string[] {
  const values = words.join(' ') === 'completion' ? shells : []
  return [...commands.map(({ name }) => name), ...values, ...options.map(({ flag }) => flag)]
}

/** Bash and zsh share all but how they are told: `$place` is the path of commands, `$last` the word before. */
function caseLines(places: readonly Place[], found: (words: readonly string[]) => string): string {
  return places
    .map((place) => {
      const valued = place.options.filter(({ takesValue }) => takesValue)
      const free = valued.filter(({ values }) => values.length === 0).map(({ flag }) => flag)
      const known = valued.filter(({ values }) => values.length > 0)
      const lines = [
        ...known.map(({ flag, values }) => `        ${flag}) ${found(values)} ;;`),
        // Files, or whatever the shell offers of its own.
        ...(free.length === 0 ? [] : [`        ${free.join('|')}) ;;`]),
        `        *) ${found(wordsAt(place))} ;;`,
      ]
      return `    '${place.words.join(' ')}')\n      case "$last" in\n${lines.join('\n')}\n      esac ;;`
    })
    .join('\n')
}

/** Follows the words that are commands; options and their values are passed over. */
function placeLoop(places: readonly Place[]): string {
  const paths = places.filter(({ words }) => words.length > 0).map(({ words }) => `'${words.join(' ')}'`)
  return `    case "\${place:+$place }$word" in
      ${paths.join('|')}) place="\${place:+$place }$word" ;;
    esac`
}

function renderBash(places: readonly Place[]): string {
  return `# Completion of outhook for bash.
_outhook() {
  local place='' last="\${COMP_WORDS[COMP_CWORD-1]}" current="\${COMP_WORDS[COMP_CWORD]}" word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
${placeLoop(places)}
  done
  COMPREPLY=()
  case "$place" in
${caseLines(places, (words) => `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current"))`)}
  esac
}
complete -o default -F _outhook outhook`
}

function renderZsh(places: readonly Place[]): string {
  return `#compdef outhook
# Completion of outhook for zsh.
_outhook() {
  local place='' last="\${words[CURRENT-1]}" word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
${placeLoop(places)}
  done
  case "$place" in
${caseLines(places, (words) => `found=(${words.map((word) => `'${word}'`).join(' ')})`)}
  esac
  if (( \${#found} )); then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "\${funcstack[1]}" = _outhook ]]; then _outhook "$@"; else compdef _outhook outhook; fi`
}

function renderFish(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const inner = place.commands.map(({ name }) => name)
    const seen = place.words.map((word) => `__fish_seen_subcommand_from ${word}`)
    const before = inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(' ')}`]
    const when = `-n ${quoteFish([...seen, ...before].join('; and '))}`
    const words =
      place.words.join(' ') === 'completion'
        ? shells.map((name) => ({ name, description: name }))
        : place.commands
    return [
      ...words.map(
        ({ name, description }) => `complete -c outhook -f ${when} -a ${name} -d ${quoteFish(description)}`,
      ),
      ...place.options.map(({ flag, description, takesValue, values }) => {
        const value = values.length > 0 ? ` -x -a ${quoteFish(values.join(' '))}` : takesValue ? ' -r' : ''
        return `complete -c outhook ${when} -l ${flag.slice(2)}${value} -d ${quoteFish(description)}`
      }),
    ]
  })
  return ['# Completion of outhook for fish.', ...lines].join('\n')
}

function quoteFish(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

const renderers: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
}
