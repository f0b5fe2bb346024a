#!/usr/bin/env node
/** The command `keyslot`: its modules are kept compiled, which halves the time it takes to begin. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { complaintAboutNode } from './node.ts'

const complaint = complaintAboutNode(process.versions.node)
if (complaint !== undefined) {
  process.stderr.write(`keyslot: ${complaint}\n`)
  process.exit(1)
}
// Loaded here, since an older Node would refuse this file for what it imports.
const { enableCompileCache } = await import('node:module')
// In the user's own directory: Node's default is in /tmp, where others might put code for us.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keyslot'))
const { main } = await import('./program.ts')
await main()
