/** What may differ from one PKCS#11 module to the next: the shape of a profile. */

/** Who makes the IV of AES-GCM, and how it comes back. A module that fails the proof is refused. */
export type IvMode =
  /** We hand in a random IV. */
  | { readonly made: 'by us'; readonly bytes: number }
  /** We hand in zeros, and the token writes its own IV over them. */
  | { readonly made: 'in place'; readonly bytes: number }
  /** We hand in none, and the token appends its own behind the tag. */
  | { readonly made: 'behind the tag'; readonly bytes: number }

/** Attributes that not every token takes. */
export const OPTIONAL_ATTRIBUTES = [
  'CKA_ALLOWED_MECHANISMS',
  'CKA_COPYABLE',
  'CKA_MODIFIABLE',
  'CKA_WRAP_WITH_TRUSTED',
] as const

/** An attribute that not every token takes. */
export type OptionalAttribute = (typeof OPTIONAL_ATTRIBUTES)[number]

/** Attributes that the token sets and that prove where a key comes from. */
export type OriginAttribute = 'CKA_ALWAYS_SENSITIVE' | 'CKA_LOCAL' | 'CKA_NEVER_EXTRACTABLE'

/** Care for a token that keeps its objects in files and leaves their durability to us. */
export interface TokenFiles {
  /**
   * Before C_Initialize: puts back what a crash has damaged.
   *
   * @returns a sentence for the log for each file put back.
   */
  repair(): readonly string[]
  /** The paths of tokens that are damaged, and of which there is no copy. */
  damaged(): readonly string[]
  /** After login and canary: keeps a copy of what a crash can damage. */
  keepCopy(serialNumber: string): void
  /** Before an object is made or destroyed: remembers what there is. */
  beginChange(serialNumber: string): TokenChange
}

/** The making or destroying of one object, seen in the files. */
export interface TokenChange {
  /**
   * Makes the change durable and checks it.
   *
   * @throws Error when what should have appeared or vanished has not, or is not complete.
   */
  settle(expected: 'object made' | 'object destroyed'): void
}

/** The differences of a kind of module. */
export interface Profile {
  readonly name:
    | 'cloudhsm'
    | 'luna'
    | 'nshield'
    | 'nss'
    | 'softhsm'
    | 'standard'
    | 'utimaco'
    | 'yubihsm'
  /** What the file names of such modules begin with: a guess before the module is loaded. */
  readonly moduleFiles: readonly string[]
  /** Matches the library's manufacturer or description. */
  readonly recognises: (identity: { manufacturer: string; description: string }) => boolean
  /** Variables of the door's environment that the module reads: passed on to the HSM process. */
  readonly variables: readonly string[]
  /** Worker threads, each with a session, when the settings name no number. */
  readonly workers: number
  /**
   * `apart`: slow calls have a worker to themselves, beside the others. `among them`: all but a
   * quarter of the workers take them too.
   */
  readonly slowCalls: 'apart' | 'among them'
  /**
   * `own symbols`: the module is loaded with RTLD_DEEPBIND first, so that it uses the OpenSSL it
   * was built with and not Node's; glibc only. `shared symbols`: as it comes.
   */
  readonly loading: 'own symbols' | 'shared symbols'
  readonly gcmIv: IvMode
  /** Attributes that the token refuses in a template or gives another meaning: left out. */
  readonly withoutAttributes: readonly OptionalAttribute[]
  /** Origin attributes that the token reports wrongly: not read. */
  readonly untrustedAttributes: readonly OriginAttribute[]
  /** How often login is tried while the token answers with a passing fault. */
  readonly loginAttempts: number
  /** Derived keys that a session keeps at most: each is a session object in the token. */
  readonly derivedKeysMax: number
  /** For tokens whose objects are files. */
  readonly tokenFiles?: (environment: NodeJS.ProcessEnv) => TokenFiles | undefined
}
