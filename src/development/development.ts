/** What a first start in development mode makes: a SoftHSM token, and certificates. */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { initToken } from '../pkcs11/init-token.ts'
import { softhsmConfiguration, softhsmEnvironment } from '../pkcs11/profiles/softhsm.ts'
import { type Authority, ensureAuthority } from './authority.ts'
import { writeWhole } from './whole-file.ts'

/** What development needs to know. */
export interface DevelopmentSettings {
  /** The directory of the installation. */
  readonly home: string
  readonly account: string
  readonly trustDomain: string
  /** Where the server listens, so that its certificate names it. */
  readonly host: string
  readonly hsm: {
    readonly modulePath: string
    readonly tokenLabel: string
    /** Where SoftHSM's configuration is, or is to be. */
    readonly softhsmConf: string
    /** Where the user PIN is, or is to be. */
    readonly pinFile: string
  }
  readonly clock: () => number
}

/** What is there now. */
export interface Development {
  /** Whether the token was made now. */
  readonly tokenMade: boolean
  readonly authority: Authority
}

const PIN_BYTES = 16

/**
 * Makes what is missing, and leaves alone what is there: a token, its PINs in files of mode 0400,
 * a certificate authority, a server certificate and the client certificate of the account's root.
 *
 * @throws Error when the token cannot be made.
 */
export async function ensureDevelopment(settings: DevelopmentSettings): Promise<Development> {
  const { home, account, trustDomain, host, clock } = settings
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const tokenMade = await ensureToken(settings)
  const serverNames = host === '0.0.0.0' || host === '::' ? [] : [host]
  const authority = ensureAuthority(home, { account, trustDomain, serverNames, clock })
  return { tokenMade, authority }
}

async function ensureToken({ hsm }: DevelopmentSettings): Promise<boolean> {
  const { softhsmConf, pinFile, modulePath, tokenLabel } = hsm
  const directory = dirname(softhsmConf)
  const tokens = join(directory, 'tokens')
  const soPinFile = join(directory, 'so-pin')
  mkdirSync(tokens, { recursive: true, mode: 0o700 })
  if (!existsSync(softhsmConf)) writeWhole(softhsmConf, softhsmConfiguration(tokens), 0o600)
  for (const file of [pinFile, soPinFile]) {
    if (!existsSync(file)) writeWhole(file, `${randomBytes(PIN_BYTES).toString('hex')}\n`, 0o400)
  }
  const { made } = await initToken({
    modulePath,
    tokenLabel,
    pinFile,
    soPinFile,
    moduleEnvironment: softhsmEnvironment(softhsmConf),
  })
  return made
}
