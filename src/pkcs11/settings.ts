/** The settings of the HSM process, as the composition root hands them in. */

import type { ProfileName } from './profiles/choose.ts'

/** How to reach the token and what to allow it. */
export interface HsmSettings {
  /** The PKCS#11 module, a shared library. */
  readonly modulePath: string
  /** CKA_LABEL of the token, trailing blanks left out; exactly one slot may hold it. */
  readonly tokenLabel: string
  /** A regular file of mode 0400 or 0600 that holds the user PIN; or `pinFd`. */
  readonly pinFile?: string
  /**
   * An inherited file descriptor to read the user PIN from. After a restart of the HSM process it
   * is read again from its beginning, so it should be a file or a memfd; a pipe serves one start.
   */
  readonly pinFd?: number
  /** What the module's differences are; guessed from the module itself when absent. */
  readonly profile?: ProfileName
  /** Worker threads, each with a session of its own; the profile's number when absent. */
  readonly workers?: number
  /** Mechanisms not to use although the token offers them, such as `CKM_AES_CBC_ENCRYPT_DATA`. */
  readonly withdraw?: readonly string[]
  /**
   * Whether every cryptographic step on a secret has to be the token's: what it has no mechanism for
   * is then refused, where otherwise paddings are taken off outside; default false.
   */
  readonly fips?: boolean
  /** How long the token may take over one call before its process is killed; default 5000. */
  readonly callTimeoutMs?: number
  /** The same for object management, where a search may be long; default 60000. */
  readonly managementTimeoutMs?: number
  /** Whether every encryption is decrypted and compared before it is answered; default true. */
  readonly verifyEncryption?: boolean
  /**
   * Whether every decryption is made twice and compared before it is answered, since no tag and no
   * commitment covers what the token answers below us; default false.
   */
  readonly verifyDecryption?: boolean
  /** The canary that the store knows; absent before the first start. */
  readonly canaryId?: string
  /** Variables that the module reads, such as where its configuration is. */
  readonly moduleEnvironment?: Readonly<Record<string, string>>
  /** What C_Initialize hands to modules that want a string (pReserved of CK_C_INITIALIZE_ARGS). */
  readonly libraryParameters?: string
  /** Messages that one derived key encrypts; default and at most 2^20. */
  readonly derivedKeyMessagesMax?: number
  /** How long one derived key encrypts; default and at most 60000. */
  readonly derivedKeyAgeMaxMs?: number
  /** Calls that wait in the door for a worker; more are refused; default 1024. */
  readonly queuedCallsMax?: number
  /** Calls that are sent ahead to one worker; default 64. */
  readonly sentCallsMax?: number
  /** How often an idle token is asked for its canary; default 30000. */
  readonly canaryIntervalMs?: number
}

/** A log function: the fields hold no secret. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: object,
) => void

/** What the module and its token say of themselves. */
export interface TokenIdentity {
  readonly profile: ProfileName
  readonly libraryDescription: string
  readonly libraryManufacturer: string
  readonly libraryVersion: string
  readonly cryptokiVersion: string
  readonly tokenLabel: string
  readonly tokenManufacturer: string
  readonly tokenModel: string
  readonly serialNumber: string
  readonly firmwareVersion: string
  readonly hardwareVersion: string
}

/** One thing that keyslot would like to use, and what became of it. */
export interface Capability {
  /** A name that the operator can withdraw, such as `CKM_AES_GCM`. */
  readonly name: string
  /** What keyslot needs it for. */
  readonly use: string
  /** Whether the token lists it. */
  readonly offered: boolean
  /** Whether it passed its proof at this start. */
  readonly proved: boolean
  /** Why it is not used; absent while it is. */
  readonly withdrawn?: string
  /** Whether its proof failed for a reason that may pass, such as a fault of the device. */
  readonly mayPass?: true
}

/** What the HSM process reports of its token. */
export interface HsmReport {
  readonly identity: TokenIdentity
  /** Limits as C_GetTokenInfo names them; absent where the token says nothing or "no limit". */
  readonly limits: {
    readonly sessionsMax?: number
    readonly readWriteSessionsMax?: number
    readonly publicMemoryBytesFree?: number
    readonly privateMemoryBytesFree?: number
  }
  readonly capabilities: readonly Capability[]
  /** Worker threads. */
  readonly workers: number
  /** Backing keys known to this process. */
  readonly backingKeys: number
  /** Whether the canary has been found and used just now; absent while there is none. */
  readonly canary?: 'good'
}
