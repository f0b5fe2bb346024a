/**
 * The table of goals in SECURITY.md is what the titles of the tests say, and those goals that are
 * about the source as a whole.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CONTRACT } from '../src/contract/contract.ts'

const ROOT = resolve(import.meta.dirname, '..')
const TITLE =
  /(?:test|describe)(?:\.\w+(?:\([^\n]*\))?)*\(\s*['`]([CP][0-9]+): |\)\(\s*['`]([CP][0-9]+): /g

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

function filesBelow(folder: string, end: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .map((file) => join(folder, file))
}

/** The goals that the titles of a file begin with. */
function goalsIn(source: string): Set<string> {
  return new Set([...source.matchAll(TITLE)].map(([, one, other]) => one ?? other ?? ''))
}

describe('the table of goals', () => {
  const table = [
    ...read('.github/SECURITY.md').matchAll(/^\| ([CP][0-9]+) \| .* \| `([^`]+)` \|$/gm),
  ]
  const rows = table.map(([, goal = '', file = '']) => `${goal} ${file}`)

  test('has every title that begins with a goal, and no other', () => {
    const titled = filesBelow('test', '.test.ts').flatMap((file) =>
      [...goalsIn(read(file))].map((goal) => `${goal} ${file}`),
    )
    expect([...new Set(rows)].toSorted()).toEqual(titled.toSorted())
  })

  test('has every goal', () => {
    const numbered = (letter: string, count: number) =>
      Array.from({ length: count }, (_, at) => `${letter}${at + 1}`)
    const goals = new Set(table.map(([, goal]) => goal))
    expect([...numbered('C', 7), ...numbered('P', 15)].filter((goal) => !goals.has(goal))).toEqual(
      [],
    )
  })
})

/** The source without its comments, by file. */
const sources = filesBelow('src', '.ts')
  .filter((file) => !file.startsWith('src/gen/'))
  .map((file): [string, string] => [
    file,
    read(file)
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .replaceAll(/^\s*\/\/.*$/gm, ''),
  ])

test('P8: digests that tell who may are compared in constant time', () => {
  const deciding = sources.filter(([file]) =>
    /^src\/(doors|model|operations|pipeline)\//.test(file),
  )
  const makers = deciding.filter(
    ([, code]) => /createHmac\(/.test(code) && /verif|isGrantToken/i.test(code),
  )
  expect(makers.map(([file]) => file)).not.toEqual([])
  expect(
    makers.filter(([, code]) => !code.includes('timingSafeEqual')).map(([file]) => file),
  ).toEqual([])
  const plain =
    /\b(?:signature|mac|commitment|secretAccessKey)\b\s*[!=]==(?! undefined)|\b(?:mac|signature)\.equals\(/i
  expect(deciding.filter(([, code]) => plain.test(code)).map(([file]) => file)).toEqual([])
})

test('P14: no SQL is put together from text', () => {
  // But for constants, in capitals: a pragma takes no parameters.
  const loose = /\bsql\.(?:raw|lit|id|ref|table)\b|\.(?:exec|prepare)\(`[^`]*\$\{(?![A-Z_]+\})/
  expect(sources.filter(([, code]) => loose.test(code)).map(([file]) => file)).toEqual([])
})

test('P15: where the audit log is follows from the settings at the start alone', () => {
  const opens = sources.filter(([, code]) => /openAuditLog\((?!path: )/.test(code))
  expect(opens.map(([file]) => file)).toEqual(['src/main.ts'])
  expect(opens[0]?.[1]).toContain('openAuditLog(config.audit)')
  // No call names a file; `path` is that of an ARN.
  const named = Object.values(CONTRACT).flatMap(({ name, request }) =>
    request.fields.map((field) => `${name}.${field.name}`),
  )
  expect(named.filter((each) => /file|directory|folder|socket|sink|command/i.test(each))).toEqual(
    [],
  )
})
