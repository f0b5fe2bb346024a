/**
 * Tries mutants, one after another, in a process of its own: for each the modules of `src/policy`
 * and their tests are loaded anew, the one file with its fault, and the tests run until one fails.
 * The process that began this one ends it when a test takes too long.
 */

import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { takeTests } from './stand-in.ts'

/** What the worker is asked to do. */
export interface Task {
  readonly id: number
  /** The test files, as URLs. */
  readonly tests: readonly string[]
  /** The file that has the fault, as URL, and its text; none to try all as it is. */
  readonly fault?: { readonly url: string; readonly source: string }
  /** How long each test took without a fault; the shortest are run first. */
  readonly durationsMs: Readonly<Record<string, number>>
}

/** What the worker tells: that a test begins, or how it all ended. */
export type Told =
  | { readonly begins: string }
  | {
      readonly id: number
      /** The test that failed, or what was wrong when they were read. */
      readonly failed?: string
      readonly durationsMs: Readonly<Record<string, number>>
    }

const STAND_IN = new URL('./stand-in.ts', import.meta.url).href
const SOURCE = new URL('../../../src/policy/', import.meta.url).href
const TESTS = new URL('../', import.meta.url).href
const sources = new Map<string, string>()
let task: Task | undefined

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'vitest') return { url: STAND_IN, shortCircuit: true }
    const found = next(specifier, context)
    const isReloaded = found.url.startsWith(SOURCE) || found.url.startsWith(TESTS)
    if (!isReloaded || found.url === STAND_IN || task === undefined) return found
    return { ...found, url: `${found.url}?task=${task.id}` }
  },
  load(url, context, next) {
    const [plain = url, query] = url.split('?')
    if (query === undefined) return next(url, context)
    const source = plain === task?.fault?.url ? task.fault.source : sourceOf(plain)
    return { format: 'module', source, shortCircuit: true }
  },
})

/** A file as JavaScript: the same for every mutant of another one. */
function sourceOf(url: string): string {
  const known = sources.get(url)
  if (known !== undefined) return known
  const source = stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'))
  sources.set(url, source)
  return source
}

process.on('message', async (asked: Task) => {
  task = asked
  const durationsMs: Record<string, number> = {}
  const failed = await firstFailure(asked, durationsMs)
  tell({ id: asked.id, failed, durationsMs })
})

async function firstFailure(
  { id, tests, durationsMs: known }: Task,
  durationsMs: Record<string, number>,
): Promise<string | undefined> {
  tell({ begins: 'reading' })
  takeTests()
  try {
    for (const url of tests) await import(`${url}?task=${id}`)
  } catch (error) {
    return `reading: ${error}`
  }
  const read = takeTests().map(({ title, run }, index) => ({ title: `${index} ${title}`, run }))
  for (const { title, run } of read.toSorted((a, b) => msOf(a.title) - msOf(b.title))) {
    tell({ begins: title })
    const beganMs = performance.now()
    try {
      await run()
    } catch (error) {
      return `${title}: ${error}`
    }
    durationsMs[title] = performance.now() - beganMs
  }
  return undefined

  function msOf(title: string): number {
    return known[title] ?? 0
  }
}

function tell(what: Told): void {
  process.send?.(what)
}
