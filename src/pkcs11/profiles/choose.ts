/** Which profile a module gets. */

import { basename } from 'node:path'
import { cloudhsm } from './cloudhsm.ts'
import { luna } from './luna.ts'
import { nshield } from './nshield.ts'
import { nss } from './nss.ts'
import type { Profile } from './profile.ts'
import { softhsm } from './softhsm.ts'
import { standard } from './standard.ts'
import { utimaco } from './utimaco.ts'
import { yubihsm } from './yubihsm.ts'

/** All profiles by name. */
export const PROFILES = {
  cloudhsm,
  luna,
  nshield,
  nss,
  softhsm,
  standard,
  utimaco,
  yubihsm,
} as const satisfies Record<string, Profile>

/** The name of a profile. */
export type ProfileName = keyof typeof PROFILES

/** Variables of the door's environment that modules read, passed on to the HSM process. */
export const MODULE_VARIABLES: readonly string[] = Object.values<Profile>(PROFILES).flatMap(
  ({ variables }) => variables,
)

/** The profile that the settings name, or a first guess by the module's file name. */
export function profileBefore(name: ProfileName | undefined, modulePath: string): Profile {
  if (name !== undefined) return PROFILES[name]
  const file = basename(modulePath)
  const isNamed = ({ moduleFiles }: Profile) => moduleFiles.some((begin) => file.startsWith(begin))
  return Object.values<Profile>(PROFILES).find(isNamed) ?? standard
}

/** The profile whose module this is by its own words; `undefined` when no profile knows them. */
export function profileOf(identity: {
  manufacturer: string
  description: string
}): Profile | undefined {
  return Object.values<Profile>(PROFILES).find((profile) => profile.recognises(identity))
}
