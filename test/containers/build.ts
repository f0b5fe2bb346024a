/**
 * Builds the image ahead of its test, so that the tests do not share the processors with a
 * compiler. Without a Docker it says so, and the test is skipped.
 */

import { execFileSync } from 'node:child_process'
import { ROOT, whyNoDocker } from './docker.ts'

const BUILD_MS = 600_000

const reason = whyNoDocker()
if (reason === undefined) {
  const options = { cwd: ROOT, stdio: 'inherit', timeout: BUILD_MS } as const
  execFileSync('docker', ['compose', 'build'], options)
} else {
  console.error(`NO CONTAINERS, their test is skipped: ${reason}`)
}
