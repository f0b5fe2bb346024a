/**
 * The mutation test of `src/policy`, `npm run test:mutation`: puts one small fault after another into
 * its files, and counts how many of them its tests find. The rule tables decide, with a few
 * hundred generated cases of each kind. It fails if less than 95 of a hundred are found.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { EQUIVALENT } from './equivalent.ts'
import { EQUIVALENT_IN_PATTERNS } from './equivalent-patterns.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import type { Task, Told } from './worker.ts'

const HELP = `Usage: npm run test:mutation -- [options]

  --only <text>  Mutants of the files whose names hold the text.
  --jobs <n>     Processes at a time (default: 2).
  --help         Prints this.
`

const SCORE_MIN = 95
const SOURCE = join(import.meta.dirname, '../../../src/policy')
const TESTS = join(import.meta.dirname, '..')
const WORKER = join(import.meta.dirname, 'worker.ts')
/** Modules that were loaded are never forgotten: a process is replaced after so many mutants. */
const MUTANTS_A_PROCESS = 60
/** A test that takes so many times as long as usual, and at least so long, will not end. */
const PATIENCE = 20
const PATIENCE_MS = 4000

type Outcome = 'found' | 'never ends' | 'survived' | 'equivalent'

interface Tried {
  readonly mutant: Mutant
  readonly outcome: Outcome
}

/** What a process has told of a task. */
type Answer = Extract<Told, { id: number }> | 'never ends'

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      jobs: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const files = filesOf(SOURCE).filter((file) => file.includes(values.only))
  const mutants = files.flatMap((file) => mutantsOf(file, readFileSync(join(SOURCE, file), 'utf8')))
  const durationsMs = await durationsWithoutFault()
  const tried: Tried[] = []
  const waiting = [...mutants.entries()]
  const work = async () => {
    const worker = new Worker(durationsMs)
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [id, mutant] = next
      const outcome = await outcomeOf(worker, mutant, id + 1)
      tried.push({ mutant, outcome })
      if (outcome === 'survived') tell(`survived: ${described(mutant)}`)
      if (tried.length % 100 === 0) tell(`${tried.length} of ${mutants.length}`)
    }
    worker.end()
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  return report(tried, values.only === '')
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .toSorted()
}

async function durationsWithoutFault(): Promise<Readonly<Record<string, number>>> {
  const worker = new Worker({})
  const answer = await worker.ask({ id: 0 })
  worker.end()
  if (answer === 'never ends' || answer.failed !== undefined) {
    throw new Error(`without a fault: ${answer === 'never ends' ? answer : answer.failed}`)
  }
  const durations = Object.values(answer.durationsMs)
  const seconds = durations.reduce((sum, each) => sum + each, 0) / 1000
  tell(`${durations.length} tests, ${seconds.toFixed(1)} s without a fault`)
  return answer.durationsMs
}

async function outcomeOf(worker: Worker, mutant: Mutant, id: number): Promise<Outcome> {
  const known = [...EQUIVALENT, ...EQUIVALENT_IN_PATTERNS]
  if (known.some((each) => isSame(each, mutant))) return 'equivalent'
  const { file, source } = mutant
  const url = pathToFileURL(join(SOURCE, file)).href
  const answer = await worker.ask({ id, fault: { url, source } })
  if (answer === 'never ends') return answer
  return answer.failed === undefined ? 'survived' : 'found'
}

function isSame(one: Pick<Mutant, 'file' | 'text' | 'was' | 'put'>, other: Mutant): boolean {
  const { file, text, was, put } = one
  return file === other.file && text === other.text && was === other.was && put === other.put
}

/** A process that tries mutants, and another one when it has tried enough or hangs. */
class Worker {
  readonly #durationsMs: Readonly<Record<string, number>>
  readonly #tests = readdirSync(TESTS)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => pathToFileURL(join(TESTS, file)).href)
  #child: ChildProcess | undefined
  #asked = 0

  constructor(durationsMs: Readonly<Record<string, number>>) {
    this.#durationsMs = durationsMs
  }

  ask(task: Pick<Task, 'id' | 'fault'>): Promise<Answer> {
    if (this.#asked % MUTANTS_A_PROCESS === 0) this.end()
    this.#asked += 1
    const child = this.#begin()
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const settle = (answer: Answer) => {
        clearTimeout(timer)
        child.removeAllListeners()
        if (answer === 'never ends') this.end()
        resolve(answer)
      }
      child.on('message', (told: Told) => {
        if ('id' in told) {
          settle(told)
          return
        }
        clearTimeout(timer)
        timer = setTimeout(() => settle('never ends'), this.#patienceMs(told.begins))
      })
      // A fault that uses up all memory is found too.
      child.on('exit', () => settle('never ends'))
      child.on('error', reject)
      child.send({ ...task, tests: this.#tests, durationsMs: this.#durationsMs })
    })
  }

  end(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #patienceMs(title: string): number {
    // Before it is known how long a test takes, it is waited for.
    if (Object.keys(this.#durationsMs).length === 0) return 300_000
    return PATIENCE_MS + PATIENCE * (this.#durationsMs[title] ?? 0)
  }

  #begin(): ChildProcess {
    if (this.#child?.connected) return this.#child
    this.#child = fork(WORKER, [], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=512'],
      env: { ...process.env, KEYSLOT_POLICY_CASES: '200', KEYSLOT_POLICY_SEED: '2' },
    })
    return this.#child
  }
}

function report(tried: readonly Tried[], isWhole: boolean): number {
  const lines = [...Map.groupBy(tried, ({ mutant }) => mutant.file)].map(([file, some]) =>
    line(file, some),
  )
  process.stdout.write(`${line('file')}\n${lines.join('\n')}\n${line('all', tried)}\n`)
  for (const { mutant, outcome } of tried) {
    if (outcome !== 'survived') continue
    process.stdout.write(`\nsurvived: ${described(mutant)}\n  ${mutant.text}\n`)
  }
  const gone = isWhole
    ? EQUIVALENT.filter((each) => !tried.some(({ mutant }) => isSame(each, mutant)))
    : []
  for (const { file, text, put } of gone) {
    process.stdout.write(`\nno mutant any more: ${file}  ${text}  →  ${put}\n`)
  }
  return scoreOf(tried) >= SCORE_MIN && gone.length === 0 ? 0 : 1
}

function line(title: string, tried?: readonly Tried[]): string {
  const outcomes: readonly Outcome[] = ['found', 'never ends', 'survived', 'equivalent']
  const cells = outcomes.map((outcome) =>
    tried ? String(tried.filter((each) => each.outcome === outcome).length) : outcome,
  )
  const score = tried ? `${scoreOf(tried).toFixed(1)} %` : 'score'
  return [title.padEnd(24), ...[...cells, score].map((cell) => cell.padStart(11))].join('')
}

/** How many of a hundred were found, those aside that change nothing. */
function scoreOf(tried: readonly Tried[]): number {
  const counted = tried.filter(({ outcome }) => outcome !== 'equivalent')
  const found = counted.filter(({ outcome }) => outcome !== 'survived')
  return counted.length === 0 ? 100 : (100 * found.length) / counted.length
}

function described({ file, line: at, was, put }: Mutant): string {
  return `${file}:${at}  ${short(was)}  →  ${short(put)}`
}

function short(text: string): string {
  const one = text.replaceAll(/\s+/g, ' ')
  return one.length > 60 ? `${one.slice(0, 57)}...` : one
}

function tell(what: string): void {
  process.stderr.write(`mutation: ${what}\n`)
}

process.exitCode = await main()
