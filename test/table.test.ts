/** Holds the table of operations against the contract, the files and the golden copy. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { kebabCase } from '../src/cli/rpc/parameters.ts'
import { CONTRACT } from '../src/contract/contract.ts'
import type { OperationName } from '../src/operations/operation.ts'
import { OPERATIONS } from '../src/operations/table.ts'
import { operationsTable } from './table.ts'

const ROOT = resolve(import.meta.dirname, '..')
const JOBS: readonly OperationName[] = ['RotateDueKey', 'ExpireDueMaterial', 'DestroyDueKey']
const RESERVED = [
  'request',
  'caller',
  'home',
  'limits',
  'store',
  'hsm',
  'lifecycle',
  'sealer',
  'clock',
  'conditions',
  'authority',
]
const files = readdirSync(join(ROOT, 'src/operations'), { recursive: true, encoding: 'utf8' })
const tests = readdirSync(join(ROOT, 'test/operations'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => ({ file, source: readFileSync(join(ROOT, 'test/operations', file), 'utf8') }))
const names = Object.keys(OPERATIONS) as OperationName[]

test('the table is the golden one: a changed permission is a line that a reviewer reads', () => {
  const golden = readFileSync(join(ROOT, 'test/table.golden.md'), 'utf8')
  expect(`${operationsTable()}\n`).toBe(golden)
})

test('the table has every rpc of the contract, and the jobs', () => {
  expect(names.toSorted()).toEqual([...Object.keys(CONTRACT), ...JOBS].toSorted())
})

test.each(names)('%s stands under its own name and asks a permission', (name) => {
  const { needs } = OPERATIONS[name]
  expect(OPERATIONS[name].name).toBe(name)
  expect(Object.keys(needs).length).toBeGreaterThan(0)
  expect(Object.keys(needs).filter((need) => RESERVED.includes(need))).toEqual([])
})

test.each(names)('%s has a file of its own name, and a test that calls it', (name) => {
  const kebab = kebabCase(name)
  expect(files.filter((file) => file.endsWith(`/${kebab}.ts`))).toHaveLength(1)
  const isTest = ({ file, source }: (typeof tests)[number]) =>
    file.endsWith(`/${kebab}.test.ts`) || source.includes(`'${name}'`)
  expect(tests.filter(isTest).length).toBeGreaterThan(0)
})

test('only the jobs have permissions that no policy gives', () => {
  const internal = names.filter((name) =>
    Object.values(OPERATIONS[name].needs).some((need) => need.permission?.startsWith('keyslot:')),
  )
  expect(internal.toSorted()).toEqual(JOBS.toSorted())
})
