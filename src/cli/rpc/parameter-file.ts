/** Values of parameters from files and from stdin: `fileb://plan.txt`, `file:///dev/stdin`. */

import { createReadStream } from 'node:fs'
import { homedir } from 'node:os'
import { misused } from '../exit.ts'

/** No parameter comes near it; a wrong path shall not fill the memory. */
const CONTENT_BYTES_MAX = 1_048_576

/** The path behind the prefix, where the value has it. */
export function fileNamed(prefix: 'file://' | 'fileb://', value: string): string | undefined {
  if (!value.startsWith(prefix)) return undefined
  const path = value.slice(prefix.length)
  return path.startsWith('~/') ? homedir() + path.slice(1) : path
}

/**
 * Reads a file; `/dev/stdin` is stdin on every system.
 *
 * @returns bytes that are the caller's to overwrite.
 * @throws CliError when it cannot be read, or is longer than 1 MiB.
 */
export async function contentOf(path: string): Promise<Buffer> {
  const source = path === '/dev/stdin' ? process.stdin : createReadStream(path)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of source) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > CONTENT_BYTES_MAX) misused(`${path} is longer than 1 MiB`)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    return misused(`cannot read ${path}: ${error.code}`, { cause: error })
  } finally {
    for (const chunk of chunks) chunk.fill(0)
  }
}
