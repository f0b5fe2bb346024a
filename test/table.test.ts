/** Holds the table of operations against the contract, the files and the golden copy. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { CONTRACT } from '../src/contract/contract.ts'
import type { OperationName } from '../src/operations/operation.ts'
import { OPERATIONS } from '../src/operations/table.ts'
import { operationsTable } from './table.ts'

const ROOT = resolve(import.meta.dirname, '..')
const JOBS: readonly OperationName[] = ['RotateDueKey', 'DestroyDueKey']
const RESERVED = ['request', 'caller', 'home', 'limits', 'store', 'hsm', 'lifecycle', 'clock']
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

test.each(names)('%s has a file and a test of its own name', (name) => {
  const kebab = name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase()
  const folders = ['keys', 'aliases', 'tags', 'crypto', 'rotation', 'jobs']
  const has = (path: (folder: string) => string) =>
    folders.some((folder) => existsSync(join(ROOT, path(folder))))
  expect(has((folder) => `src/operations/${folder}/${kebab}.ts`)).toBe(true)
  expect(has((folder) => `test/operations/${folder}/${kebab}.test.ts`)).toBe(true)
})

test('only the jobs have permissions that no policy gives', () => {
  const internal = names.filter((name) =>
    Object.values(OPERATIONS[name].needs).some((need) => need.permission?.startsWith('keyslot:')),
  )
  expect(internal.toSorted()).toEqual(JOBS.toSorted())
})
