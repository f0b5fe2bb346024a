/** Which profile a module gets. */

import { basename } from 'node:path'
import { nss } from './nss.ts'
import type { Profile } from './profile.ts'
import { softhsm } from './softhsm.ts'
import { standard } from './standard.ts'

/** All profiles by name. */
export const PROFILES = { nss, softhsm, standard } as const satisfies Record<string, Profile>

/** The name of a profile. */
export type ProfileName = keyof typeof PROFILES

/** Variables of the door's environment that modules read, passed on to the HSM process. */
export const MODULE_VARIABLES: readonly string[] = ['SOFTHSM2_CONF']

/** The profile that the settings name, or a first guess by the module's file name. */
export function profileBefore(name: ProfileName | undefined, modulePath: string): Profile {
  if (name !== undefined) return PROFILES[name]
  const file = basename(modulePath)
  if (file.includes('softhsm')) return softhsm
  return file.includes('softokn') ? nss : standard
}

/** The profile whose module this is by its own words, or the standard one. */
export function profileOf(identity: { manufacturer: string; description: string }): Profile {
  return Object.values(PROFILES).find((profile) => profile.recognises(identity)) ?? standard
}
