/**
 * How the command ends: the exit codes of the AWS CLI, and one clear message on stderr.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
 */

/** The exit codes. */
export const EXIT = {
  done: 0,
  /** `hsm check` found that the token lacks something that is needed, or an attack succeeded. */
  checkFailed: 1,
  /** The command cannot be understood; nothing was sent. */
  usage: 252,
  /** The settings or the credentials are not usable; nothing was sent. */
  configuration: 253,
  /** The service answered with an error. */
  service: 254,
  /** Anything else: above all, the service could not be reached. */
  general: 255,
} as const

/** What the exit codes mean, for the help. */
export const EXIT_CODES_HELP = `Exit codes, as the AWS CLI has them:
  0    done
  1    hsm check: the token lacks something that is needed, or an attack succeeded
  130  interrupted
  252  the command cannot be understood; nothing was sent
  253  settings or credentials are missing or not usable; nothing was sent
  254  the service answered with an error
  255  anything else, such as a service that cannot be reached`

/** An end with a message for the person or script that ran the command. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Ends with `usage`. */
export function misused(message: string, options?: ErrorOptions): never {
  throw new CliError(EXIT.usage, message, options)
}
