/** The audit log: durable before it answers, whole lines only, and refusing when it cannot write. */

import { execFileSync } from 'node:child_process'
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

/** Writes a line into a log that may grow by five bytes only, to which `others` write too. */
const CUT_OFF = `
  import { execFileSync } from 'node:child_process'
  import { appendFileSync, statSync } from 'node:fs'
  const [source, path, others] = process.argv.slice(1)
  const { openAuditLog } = await import(source)
  process.on('SIGXFSZ', () => {})
  const limit = (bytes) => execFileSync('prlimit', ['--pid', process.pid, '--fsize=' + bytes + ':'])
  const log = await openAuditLog(path)
  await log.append('one')
  if (others) appendFileSync(path, others)
  limit(statSync(path).size + 5)
  const failed = await log.append('a line of ours').then(() => false, () => true)
  limit('unlimited')
  await log.append('two')
  await log.close()
  process.exitCode = failed ? 0 : 1
`

test.skipIf(process.platform !== 'linux').each([
  ['is taken back', '', ['one', 'two']],
  ['stays where another process writes too', 'theirs\n', ['one', 'theirs', 'a lin', 'two']],
])('what is written of a line that fails %s', (_what, others, lines) => {
  const path = join(directory, 'audit.jsonl')
  const source = new URL('../../src/pipeline/audit-log.ts', import.meta.url).href
  execFileSync(process.execPath, ['--input-type=module', '-e', CUT_OFF, source, path, others])
  expect(linesOf(path)).toEqual(lines)
})
