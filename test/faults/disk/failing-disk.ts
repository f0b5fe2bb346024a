/**
 * A disk that fails below one process, from the tests' side: what to preload into it, and telling
 * it through its control file which operation fails and how.
 */

import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { builtLibrary } from '../fault-module.ts'

/** How an operation fails: the second way writes half of what it should before it does. */
export type DiskFault = 'EIO' | 'ENOSPC halfway'

/** Which operations it is about. */
export interface DiskOccurrence {
  /** From the n-th on; the first is 1. */
  readonly from?: number
  readonly times?: number
  /** Only on paths that hold this. */
  readonly only?: string
}

/** The disk of one process: writes, syncs, truncations, renames and removals. */
export interface FailingDisk {
  /** Variables that put it under a process. */
  readonly environment: Readonly<Record<string, string>>
  /** Makes operations fail; replaces what it was told before. */
  arm(fault: DiskFault, occurrence?: DiskOccurrence): void
  /** Lets everything work again. */
  clear(): void
  /** How many operations there have been. */
  calls(): number
  /** How many have failed since it was armed. */
  hits(): number
  /** The operation that has failed last, and on which file. */
  failed(): string
  close(): void
}

const FIELDS = ['calls', 'action', 'error', 'skip', 'times', 'seen', 'hits'] as const
const ACTION = { nothing: 0, fail: 1, failHalfway: 2 } as const
const ONLY = { at: 8 * FIELDS.length, bytes: 64 } as const
const FAILED = { at: ONLY.at + ONLY.bytes, bytes: 128 } as const

/**
 * Makes a disk that works until told otherwise.
 *
 * @param directory whose files it is about.
 * @param control the path of its control file.
 */
export function failingDisk(directory: string, control: string): FailingDisk {
  writeFileSync(control, Buffer.alloc(FAILED.at + FAILED.bytes))
  const fd = openSync(control, 'r+')
  const placeOf = (field: (typeof FIELDS)[number]) => 8 * FIELDS.indexOf(field)
  const write = (field: (typeof FIELDS)[number], value: number) => {
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(value))
    writeSync(fd, number, 0, number.length, placeOf(field))
  }
  const read = (at: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes)
    readSync(fd, buffer, 0, bytes, at)
    return buffer
  }
  const readNumber = (field: (typeof FIELDS)[number]) =>
    Number(read(placeOf(field), 8).readBigUInt64LE())
  return {
    environment: {
      LD_PRELOAD: builtLibrary(join(import.meta.dirname, 'disk.c')),
      KEYSLOT_DISK_DIRECTORY: directory,
      KEYSLOT_DISK_CONTROL: control,
    },
    arm(fault, { from = 1, times = Number.MAX_SAFE_INTEGER, only = '' } = {}) {
      write('action', ACTION.nothing)
      const paths = Buffer.alloc(ONLY.bytes)
      paths.write(only, 0, ONLY.bytes - 1, 'latin1')
      writeSync(fd, paths, 0, paths.length, ONLY.at)
      const { EIO, ENOSPC } = constants.errno
      write('error', fault === 'EIO' ? EIO : ENOSPC)
      write('skip', from - 1)
      write('times', times)
      write('seen', 0)
      write('hits', 0)
      write('action', fault === 'EIO' ? ACTION.fail : ACTION.failHalfway)
    },
    clear() {
      write('action', ACTION.nothing)
      writeSync(fd, Buffer.alloc(ONLY.bytes), 0, ONLY.bytes, ONLY.at)
    },
    calls: () => readNumber('calls'),
    hits: () => readNumber('hits'),
    failed: () => read(FAILED.at, FAILED.bytes).toString('latin1').replace(/\0.*$/s, ''),
    close: () => closeSync(fd),
  }
}
