/** The table of operations as text: the golden copy and the README's table are printed by this. */

import type { KeyState } from '../src/model/key.ts'
import { anyState } from '../src/operations/operation.ts'
import { OPERATIONS } from '../src/operations/table.ts'

/** The table in Markdown: who may do what to what, in which states. */
export function operationsTable(): string {
  const rows = Object.values(OPERATIONS).flatMap(({ name, needs, changes }) =>
    Object.entries(needs).map(([needName, need], index) => {
      const key = need.kind === 'key' ? need : undefined
      return [
        index === 0 ? name : '',
        index === 0 ? (changes ? 'changes' : 'reads') : '',
        `${needName} (${need.kind})`,
        need.permission ?? `kms:${name}`,
        key ? states(key.states) : '',
        key?.usage ?? '',
        key ? (key.grantable ? 'yes' : 'no') : '',
      ]
    }),
  )
  const head = ['operation', '', 'needs', 'permission', 'states', 'usage', 'grantable']
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function states(allowed: readonly KeyState[]): string {
  return allowed === anyState ? 'any' : allowed.join(', ')
}
