/** Fetches the AWS CLI and boto3, unless they are on this machine: `npm run aws-clients`. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { TOOLS } from './tools.ts'

// Of one release: each asks for the botocore of its own.
const PINS = ['awscli==1.45.11', 'boto3==1.43.11']
const FETCHING_MS = 240_000

function isThere(command: string, ...words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

if (isThere('aws', '--version') && isThere('python3', '-c', 'import boto3')) {
  console.log('The AWS CLI and boto3 are on this machine; nothing is fetched.')
} else {
  try {
    const options = { stdio: 'inherit', timeout: FETCHING_MS } as const
    execFileSync('python3', ['-m', 'venv', '--clear', TOOLS], options)
    const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:']
    execFileSync(join(TOOLS, 'bin/python'), ['-m', 'pip', 'install', ...quiet, ...PINS], options)
    console.log(`Fetched ${PINS.join(' and ')}.`)
  } catch (error) {
    // Their tests say that they are skipped.
    console.warn(`NOT FETCHED: the AWS CLI and boto3: ${(error as Error).message}`)
  }
}
