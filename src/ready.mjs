/**
 * Gets a fresh clone ready, before `npm start` and `npm test`: npm packages, SoftHSM, and the types
 * generated from `proto/`. On a clone that is ready it only looks, and is done at once.
 *
 * Plain JavaScript that needs only Node 20, since nothing else may be there yet. npm puts
 * `node_modules/.bin` first in PATH, where the Node 26 that we run on replaces itself during
 * `npm ci`: so npm is run by the system's Node.
 */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { basename, delimiter, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LOCK = join(ROOT, 'package-lock.json')
const INSTALLED_LOCK = join(ROOT, 'node_modules/.package-lock.json')
const PINNED_NODE = join(ROOT, 'node_modules/.bin/node')
const BINDING = join(ROOT, 'node_modules/pkcs11js/build/Release/pkcs11.node')
// The last file that `npm run gen` writes.
const GENERATED = join(ROOT, 'src/gen/descriptors.binpb')

// As in src/pkcs11/profiles/softhsm.ts, which Node 20 cannot read.
const SOFTHSM_MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/lib/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  '/usr/local/opt/softhsm/lib/softhsm/libsofthsm2.so',
]

/** Package managers in the order in which they are looked for, and what they call things. */
const PACKAGE_MANAGERS = [
  {
    command: 'apt-get',
    before: ['apt-get', 'update', '-qq'],
    install: ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'],
    needsRoot: true,
    names: {
      softhsm: 'softhsm2',
      libatomic: 'libatomic1',
      python3: 'python3',
      make: 'make',
      compiler: 'g++',
    },
  },
  {
    command: 'dnf',
    install: ['dnf', 'install', '-y', '-q'],
    needsRoot: true,
    names: {
      softhsm: 'softhsm',
      libatomic: 'libatomic',
      python3: 'python3',
      make: 'make',
      compiler: 'gcc-c++',
    },
  },
  {
    command: 'apk',
    install: ['apk', 'add', '--quiet'],
    needsRoot: true,
    names: {
      softhsm: 'softhsm',
      libatomic: 'libatomic',
      python3: 'python3',
      make: 'make',
      compiler: 'g++',
    },
  },
  {
    command: 'brew',
    install: ['brew', 'install', '--quiet'],
    needsRoot: false,
    names: {
      softhsm: 'softhsm',
      libatomic: 'gcc',
      python3: 'python3',
      make: 'make',
      compiler: 'gcc',
    },
  },
]

/** What stops us, in words for the person at the keyboard. */
class NotReady extends Error {}

const systemPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((directory) => !directory.includes(`node_modules${sep}.bin`))
const systemEnvironment = { ...process.env, PATH: systemPath.join(delimiter) }
const packageManager = PACKAGE_MANAGERS.find(({ command }) => findCommand(command))

try {
  readyPackages()
  readySoftHsm()
  readyGenerated()
} catch (error) {
  if (!(error instanceof NotReady)) throw error
  say(error.message)
  process.exitCode = 1
}

function readyPackages() {
  if (isNewer(INSTALLED_LOCK, LOCK) && existsSync(PINNED_NODE) && existsSync(BINDING)) return
  checkBuildTools()
  say('installing npm packages, which takes about a minute …')
  const npm = process.env.npm_execpath ?? ''
  const options = ['ci', '--loglevel=error', '--no-audit', '--no-fund']
  const { status } = basename(npm).startsWith('npm-cli')
    ? run(findCommand('node') ?? process.execPath, [npm, ...options])
    : run('npm', options)
  if (status !== 0) throw new NotReady('npm ci failed; its messages are above.')
  checkPinnedNode()
  if (!existsSync(BINDING)) {
    throw new NotReady(
      'npm ci left the PKCS#11 binding unbuilt: type `npm rebuild pkcs11js` to see why.',
    )
  }
}

/** The PKCS#11 binding is compiled while it is installed; node-gyp says less clearly what it misses. */
function checkBuildTools() {
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++']
  const missing = [
    !hasAny([process.env.PYTHON, 'python3']) && { what: 'python3', name: 'python3' },
    !hasAny(['make', 'gmake']) && { what: 'make', name: 'make' },
    !hasAny(compilers) && { what: 'a C++ compiler', name: 'compiler' },
  ].filter(Boolean)
  if (missing.length === 0) return
  const whats = missing.map(({ what }) => what).join(', ')
  const names = missing.map(({ name }) => name)
  throw new NotReady(`compiling the PKCS#11 binding needs ${whats}: ${advice(names)}`)
}

/** The Node 26 of the npm package `node` needs libatomic, which a minimal Debian lacks. */
function checkPinnedNode() {
  const works = () =>
    spawnSync(PINNED_NODE, ['--version'], { env: systemEnvironment, encoding: 'utf8' })
  const first = works()
  if (first.status === 0) return
  const output = first.error?.message ?? first.stderr
  if (output.includes('libatomic')) {
    install('libatomic', 'libatomic, which the Node 26 of the npm package `node` needs')
    if (works().status === 0) return
  }
  throw new NotReady(`the Node 26 of the npm package \`node\` does not run here: ${output.trim()}`)
}

function readySoftHsm() {
  const given = process.env.KEYSLOT_HSM_MODULE || process.env.SOFTHSM2_MODULE
  if (given) {
    if (existsSync(given)) return
    throw new NotReady(`there is no PKCS#11 module ${given}: correct KEYSLOT_HSM_MODULE.`)
  }
  if (SOFTHSM_MODULES.some((path) => existsSync(path))) return
  install('softhsm', 'SoftHSM, the token for development and tests')
  if (SOFTHSM_MODULES.some((path) => existsSync(path))) return
  throw new NotReady(
    'SoftHSM is installed, but not where it is looked for: name libsofthsm2.so in KEYSLOT_HSM_MODULE.',
  )
}

function readyGenerated() {
  const protos = readdirSync(join(ROOT, 'proto'), { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => join(ROOT, 'proto', name))
  if ([LOCK, ...protos].every((source) => isNewer(GENERATED, source))) return
  say('generating types from proto/ …')
  const { status } = run('npm', ['run', '--silent', 'gen'])
  if (status !== 0) throw new NotReady('`npm run gen` failed; its messages are above.')
}

/** Installs one thing with the package manager of the system, or says how. */
function install(name, what) {
  const mayInstall = packageManager && (!packageManager.needsRoot || process.getuid?.() === 0)
  if (!mayInstall) throw new NotReady(`missing: ${what}: ${advice([name])}`)
  say(`installing ${what} …`)
  const { before, install: command, names } = packageManager
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  let done = run(command[0], [...command.slice(1), names[name]], environment)
  if (done.status !== 0 && before) {
    // The lists of a fresh machine are missing or old.
    run(before[0], before.slice(1), environment)
    done = run(command[0], [...command.slice(1), names[name]], environment)
  }
  if (done.status !== 0) throw new NotReady(`could not install ${what}: ${advice([name])}`)
}

/** The command to type. */
function advice(names) {
  if (!packageManager) return 'install that with the package manager of your system.'
  const { before, install: command, needsRoot } = packageManager
  const sudo = needsRoot && process.getuid?.() !== 0 ? 'sudo ' : ''
  const words = command.filter((word) => !['-qq', '-q', '--quiet'].includes(word))
  const packages = names.map((name) => packageManager.names[name])
  const first = before ? `${sudo}apt-get update && ` : ''
  return `type \`${first}${sudo}${[...words, ...packages].join(' ')}\`, then try again.`
}

/** Runs a command of the system; what it says of its success is not shown. */
function run(command, options, environment = {}) {
  return spawnSync(command, options, {
    cwd: ROOT,
    env: { ...systemEnvironment, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function hasAny(commands) {
  return commands.some((command) => command && findCommand(command))
}

/** Where a command is in the PATH of the system; undefined when it is not there. */
function findCommand(command) {
  if (command.includes(sep)) return isExecutable(command) ? command : undefined
  return systemPath.map((directory) => join(directory, command)).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whether a file is there and not older than another. */
function isNewer(path, source) {
  const made = statSync(path, { throwIfNoEntry: false })
  return made !== undefined && made.mtimeMs >= statSync(source).mtimeMs
}

function say(message) {
  process.stderr.write(`keyslot: ${message}\n`)
}
