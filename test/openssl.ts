/** The openssl command as independent software: what the service makes is held against it. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs openssl in a directory of its own.
 *
 * @param files what stands in the directory, by name.
 * @param output the file that it writes; what it prints where there is none.
 * @throws Error when it fails.
 */
export function openssl(
  args: readonly string[],
  files: Readonly<Record<string, Buffer>>,
  output?: string,
): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-openssl-'))
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
    const printed = execFileSync('openssl', args, {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return output === undefined ? printed : readFileSync(join(directory, output))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
