/** The profiles are sound, told apart, and explained; one that does not fit is found out. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { IV_BYTES_MAX } from '../../src/model/ciphertext.ts'
import { startHsm } from '../../src/pkcs11/client/supervisor.ts'
import {
  MODULE_VARIABLES,
  PROFILES,
  type ProfileName,
  profileBefore,
  profileOf,
} from '../../src/pkcs11/profiles/choose.ts'
import type { Profile } from '../../src/pkcs11/profiles/profile.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken } from './token-kind.ts'

const PAGES = join(import.meta.dirname, '../../hsm')
const SETTING_WORKERS_MAX = 256

/** Modules as they are installed, and what each calls itself where that is known. */
const MODULES: readonly {
  readonly profile: ProfileName
  readonly path: string
  readonly identity?: { readonly manufacturer: string; readonly description: string }
}[] = [
  { profile: 'cloudhsm', path: '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so' },
  { profile: 'luna', path: '/usr/safenet/lunaclient/lib/libCryptoki2_64.so' },
  {
    profile: 'nshield',
    path: '/opt/nfast/toolkits/pkcs11/libcknfast.so',
    identity: { manufacturer: 'nCipher Corp. Ltd', description: '' },
  },
  {
    profile: 'nss',
    path: '/usr/lib/x86_64-linux-gnu/libsoftokn3.so',
    identity: { manufacturer: 'Mozilla Foundation', description: 'NSS Internal Crypto Services' },
  },
  {
    profile: 'softhsm',
    path: '/usr/lib/softhsm/libsofthsm2.so',
    identity: { manufacturer: 'SoftHSM', description: 'Implementation of PKCS11' },
  },
  { profile: 'utimaco', path: '/opt/utimaco/lib/libcs_pkcs11_R3.so' },
  { profile: 'utimaco', path: '/usr/lib/libcs_pkcs11_R2.so' },
  {
    profile: 'yubihsm',
    path: '/usr/lib64/pkcs11/yubihsm_pkcs11.so',
    identity: { manufacturer: 'Yubico (www.yubico.com)', description: 'YubiHSM PKCS#11 Library' },
  },
  // Of these nothing is known.
  {
    profile: 'standard',
    path: '/usr/lib/x86_64-linux-gnu/libopencryptoki.so.0',
    identity: { manufacturer: 'IBM', description: 'Meta PKCS11 LIBRARY' },
  },
  {
    profile: 'standard',
    path: '/usr/lib/x86_64-linux-gnu/libykcs11.so',
    identity: {
      manufacturer: 'Yubico (www.yubico.com)',
      description: 'PKCS#11 PIV Library (SP-800-73)',
    },
  },
]

const profiles = Object.entries<Profile>(PROFILES)
const vendors = profiles
  .map(([name]) => name)
  .filter((name) => !['nss', 'softhsm', 'standard'].includes(name))

describe.each(profiles)('the profile %s', (name, profile) => {
  test('is sound', () => {
    expect(profile.name).toBe(name)
    expect(profile.workers).toBeGreaterThan(0)
    expect(profile.workers).toBeLessThanOrEqual(SETTING_WORKERS_MAX)
    expect(profile.loginAttempts).toBeGreaterThan(0)
    expect(profile.derivedKeysMax).toBeGreaterThan(0)
    expect(profile.gcmIv.bytes).toBeGreaterThanOrEqual(12)
    expect(profile.gcmIv.bytes).toBeLessThanOrEqual(IV_BYTES_MAX)
    for (const list of [profile.variables, profile.withoutAttributes, profile.moduleFiles]) {
      expect(new Set(list).size).toBe(list.length)
    }
  })
})

test('each variable belongs to one profile', () => {
  expect(new Set(MODULE_VARIABLES).size).toBe(MODULE_VARIABLES.length)
})

describe('modules', () => {
  test.each(MODULES)('$path is $profile by its name', ({ profile, path }) => {
    expect(profileBefore(undefined, path).name).toBe(profile)
    expect(profileBefore('nss', path).name).toBe('nss')
  })

  const known = MODULES.flatMap(({ profile, identity }) =>
    identity === undefined ? [] : [{ profile, identity }],
  )
  test.each(known)(
    '$identity.manufacturer, $identity.description is $profile by its words',
    ({ profile, identity }) => {
      expect(profileOf(identity)?.name ?? 'standard').toBe(profile)
      expect(profiles.filter(([, one]) => one.recognises(identity)).length).toBeLessThanOrEqual(1)
    },
  )
})

describe('pages', () => {
  test.each(vendors)('there is one for %s', (name) => {
    const page = readFileSync(join(PAGES, `${name}.md`), 'utf8')
    expect(page).toContain(`Profile \`${name}\``)
    expect(page).toMatch(/\*\*Not run on the device\*\*/)
    expect(page).toContain('keyslot hsm check')
    for (const setting of ['MODULE', 'TOKEN_LABEL', 'PIN_FILE', 'WORKERS']) {
      expect(page).toContain(`KEYSLOT_HSM_${setting}`)
    }
    for (const variable of profileBefore(name as ProfileName, '').variables) {
      expect(page).toContain(variable)
    }
    for (const part of ['Connect', 'What keyslot uses', 'Known limits', 'Not certain', 'Sources']) {
      expect(page).toContain(`\n## ${part}\n`)
    }
  })

  test('all are in the table of the room', () => {
    const table = readFileSync(join(PAGES, 'README.md'), 'utf8')
    for (const [name] of profiles) expect(table).toContain(`\`${name}\``)
    for (const name of vendors) expect(table).toContain(`(${name}.md)`)
    const pages = readdirSync(PAGES).filter((file) => file.endsWith('.md') && file !== 'README.md')
    expect(pages.toSorted()).toEqual(vendors.map((name) => `${name}.md`).toSorted())
  })
})

if (softhsm.missing !== undefined) console.log(`SKIPPED: misfits on SoftHSM: ${softhsm.missing}`)
describe.skipIf(softhsm.missing !== undefined)('on a token that makes no IV', () => {
  let token: MadeToken
  beforeAll(async () => {
    token = await softhsm.make()
  })
  afterAll(() => token?.remove())

  const makeTheirOwn = profiles.filter(([, { gcmIv }]) => gcmIv.made !== 'by us')
  test.each(makeTheirOwn)('the profile %s is refused, not served with one IV', async (profile) => {
    const settings = { ...token.settings, profile: profile as ProfileName }
    const handle = await startHsm(settings, { log: () => undefined })
    const { state, reason } = handle.state()
    await handle.stop()
    expect(reason).toMatch(/^the token cannot serve: CKM_AES_GCM: it failed its proof: /)
    expect(state).not.toBe('ready')
  })
})
