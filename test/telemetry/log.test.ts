/** The log: lines that say what went wrong. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const LOG = new URL('../../src/telemetry/log.ts', import.meta.url).href

/** What a process writes that runs this with a log at level `info`. */
async function linesOf(program: string): Promise<Record<string, unknown>[]> {
  const source = `import { openLog } from '${LOG}'; const log = openLog('info'); ${program}`
  const words = ['--input-type=module', '--eval', source]
  const { stderr } = await promisify(execFile)(process.execPath, words)
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('shows an error with its causes, on one line', async () => {
  const [line] = await linesOf(`
    const inner = new TypeError('the inner one', { cause: 'a text' })
    log('error', 'it failed', { keyId: 'k', cause: new Error('the outer one', { cause: inner }) })
  `)
  expect(line).toMatchObject({ msg: 'it failed', keyId: 'k' })
  expect(line?.cause).toMatch(
    /^Error: the outer one\n.+\ncaused by TypeError: the inner one\n.+\ncaused by a text$/s,
  )
})

test('follows a chain of causes only so far', async () => {
  const [line] = await linesOf(`
    const cause = new Error('endless')
    cause.cause = cause
    log('warn', 'it failed', { cause })
  `)
  expect(String(line?.cause).split('caused by')).toHaveLength(5)
})

test('leaves out what is below its level', async () => {
  const lines = await linesOf(`log('debug', 'no'); log('info', 'yes')`)
  expect(lines.map(({ msg }) => msg)).toEqual(['yes'])
})
