/** The audit log: durable before it answers, whole lines only, and refusing when it cannot write. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAuditLog } from '../../src/pipeline/audit-log.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keyslot-audit-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1)

test('keeps every line, in the order in which they came', async () => {
  const path = join(directory, 'deep', 'audit.jsonl')
  const log = await openAuditLog(path)
  const lines = Array.from({ length: 2000 }, (_, i) => `{"n":${i}}`)
  await Promise.all(lines.map((line) => log.append(line)))
  expect(linesOf(path)).toEqual(lines)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await log.close()
})

test('a line is in the file when its promise resolves', async () => {
  const path = join(directory, 'audit.jsonl')
  const log = await openAuditLog(path)
  for (const line of ['one', 'two', 'three']) {
    await log.append(line)
    expect(linesOf(path).at(-1)).toBe(line)
  }
  await log.close()
})

test('goes on where an earlier process ended', async () => {
  const path = join(directory, 'audit.jsonl')
  for (const line of ['one', 'two']) {
    const log = await openAuditLog(path)
    await log.append(line)
    await log.close()
  }
  expect(linesOf(path)).toEqual(['one', 'two'])
})

test('a line that was cut off spoils no other', async () => {
  const path = join(directory, 'audit.jsonl')
  writeFileSync(path, '{"whole":1}\n{"cut off":')
  const log = await openAuditLog(path)
  await log.append('{"next":1}')
  await log.close()
  expect(linesOf(path)).toEqual(['{"whole":1}', '{"cut off":', '{"next":1}'])
})

test('a full disk fails every line of the write, and does not count them as written', async () => {
  // Every write to this device fails with ENOSPC.
  const log = await openAuditLog('/dev/full')
  const ended = await Promise.allSettled(['one', 'two', 'three'].map((line) => log.append(line)))
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await log.close()
})
