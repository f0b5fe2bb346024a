#!/usr/bin/env node
/** The command `keyslot`: its modules are kept compiled, which halves the time it takes to begin. */

import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// In the user's own directory: Node's default is in /tmp, where others might put code for us.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keyslot'))
const { main } = await import('./program.ts')
await main()
