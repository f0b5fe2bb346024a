/** `keyslot completion`: scripts that complete commands and options in a shell. */

import { Argument, type Command, type Option } from 'commander'
import { print } from './streams.ts'

/** The shells. */
const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** What can be completed: a command's words so far, and what may follow. */
interface Completion {
  /** `hsm check`; empty for the program itself. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly doc: string }[]
}

/** Adds the command. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Prints a script that completes commands and options.')
    .addArgument(new Argument('<shell>', 'The shell.').choices(Object.keys(SHELLS)))
    .addHelpText('after', '\nExample:\n  source <(npx keyslot completion bash)')
    .action((shell: keyof typeof SHELLS) => print(SHELLS[shell](completionsOf(program))))
}

/** What may follow each command of the tree. */
export function completionsOf(command: Command, path = ''): readonly Completion[] {
  const commands = command.commands.map((each) => ({
    word: each.name(),
    doc: each.description(),
  }))
  const options = command.options.flatMap((option) => optionWords(option))
  const words = [...commands, ...options, { word: '--help', doc: 'Shows the help.' }]
  const below = command.commands.flatMap((each) => {
    return completionsOf(each, `${path} ${each.name()}`.trim())
  })
  return [{ path, words }, ...below]
}

function optionWords({ long, description }: Option) {
  return long ? [{ word: long, doc: description }] : []
}

function bashScript(completions: readonly Completion[]): string {
  return `_keyslot() {
  local word path="" choices=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && break
    path="\${path:+$path }$word"
  done
  case "$path" in
${cases(completions)}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _keyslot keyslot
`
}

function zshScript(completions: readonly Completion[]): string {
  return `#compdef keyslot
_keyslot() {
  local word location="" choices=""
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] && break
    location="\${location:+$location }$word"
  done
  case "$location" in
${cases(completions)}
  esac
  compadd -- \${=choices}
  _files
}
compdef _keyslot keyslot
`
}

function cases(completions: readonly Completion[]): string {
  return completions
    .map(({ path, words }) => {
      return `    '${path}') choices='${words.map(({ word }) => word).join(' ')}' ;;`
    })
    .join('\n')
}

function fishScript(completions: readonly Completion[]): string {
  return completions
    .flatMap(({ path, words }) => {
      const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
      const when = path === '' ? '__fish_use_subcommand' : seen.join('; and ')
      return words.map(({ word, doc }) => {
        const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
        return `complete -c keyslot -n '${when}' ${what} -d '${fishText(doc)}'\n`
      })
    })
    .join('')
}

/** The first sentence, in single quotes of fish. */
function fishText(doc: string): string {
  const [sentence = ''] = doc.replaceAll(/\s+/g, ' ').split('. ')
  return sentence.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
}
