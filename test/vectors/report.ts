/**
 * A reporter for vitest: prints one table of all vectors, a row for each file, and fails a full
 * run that has not come by every file.
 */

import type { Reporter, TestModule } from 'vitest/node'
import { FILES } from './files.ts'
import { isFull, missing, type Reasons, type Row, runOf } from './wycheproof.ts'

const COLUMNS = [
  'file',
  'vectors',
  'run',
  'valid accepted',
  'invalid refused / accepted',
  'acceptable accepted / refused',
  'valid refused, and why',
  'not fitting, and why',
  'not in the sample',
  'through',
]

/** Collects the rows that tests have left in their `meta`. */
// biome-ignore lint/style/noDefaultExport: vitest takes its reporters so.
export default class VectorReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => test.meta().vectors ?? []),
    )
    if (rows.length === 0) return
    const sorted = rows.toSorted((one, other) => (one.file < other.file ? -1 : 1))
    console.log(['', ...tableOf(sorted), ''].join('\n'))
    const files = new Set(rows.map(({ file }) => file))
    const accepted = rows.reduce((sum, { invalidAccepted }) => sum + invalidAccepted, 0)
    const counts = `${files.size} files, ${vectorsOf(rows)} vectors, ${accepted} invalid accepted`
    console.log(`Wycheproof: ${counts}`)
    const without = Object.values(FILES)
      .flat()
      .filter((file) => !files.has(file))
    if (!isFull || missing !== undefined || without.length === 0) return
    console.log(`Wycheproof: no row for ${without.join(', ')}`)
    process.exitCode = 1
  }
}

function tableOf(rows: readonly Row[]): string[] {
  const line = (cells: readonly unknown[]) => `| ${cells.join(' | ')} |`
  return [
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...rows.map((row) =>
      line([
        row.file.replace('_test.json', ''),
        row.vectors,
        runOf(row),
        row.validAccepted,
        `${row.invalidRefused} / ${row.invalidAccepted}`,
        `${row.acceptableAccepted} / ${row.acceptableRefused}`,
        reasonsOf(row.validRefused),
        reasonsOf(row.unfit),
        row.notInSample,
        row.through,
      ]),
    ),
  ]
}

function reasonsOf(reasons: Reasons): string {
  const parts = Object.entries(reasons).map(([why, count]) => `${count} ${why}`)
  return parts.length === 0 ? '0' : parts.join('; ')
}

/** A file that goes more than one way is counted once. */
function vectorsOf(rows: readonly Row[]): number {
  const byFile = new Map(rows.map(({ file, vectors }) => [file, vectors]))
  return [...byFile.values()].reduce((sum, vectors) => sum + vectors, 0)
}
