/**
 * A process that logs in to the token beside the one that works with it, and counts the keys it
 * sees that are session objects: it has made none itself. Settings come on standard input, the
 * number leaves on descriptor 3.
 */

import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { HsmSettings } from '../settings.ts'
import { findToken, loadModule, logIn, readPin } from '../token/module.ts'
import { TokenSession } from '../token/session.ts'
import { SAID_FD } from './run.ts'
import { sessionKeys } from './targets.ts'

const settings = JSON.parse(await text(process.stdin)) as HsmSettings
const module = loadModule(settings, () => undefined)
const token = findToken(module, settings.tokenLabel)
await logIn(module, token, () => readPin({ file: settings.pinFile, fd: settings.pinFd }))
const session = TokenSession.open(module.pkcs11, token.slot.handle, module.profile)
writeSync(SAID_FD, `${sessionKeys(session).length}`)
session.close()
module.graphene.finalize()
